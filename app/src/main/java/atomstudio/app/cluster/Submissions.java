package atomstudio.app.cluster;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// The job arrays that were submitted for a folder, one per line: `submissions.jsonl`.
public record Submissions(Path file) {
    /// @param jobId of the scheduler
    public record Submission(String jobId, int shards) {}

    public void add(Submission submission) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("engine", "slurm");
        json.addProperty("job", submission.jobId);
        json.addProperty("shards", submission.shards);
        try {
            Files.writeString(file, json + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new Failure.Unwritable(file + ": cannot be written: " + e.getMessage(), e);
        }
    }

    public List<Submission> read() throws Failure {
        List<Submission> found = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                Json json = Json.parse(file.toString(), line);
                found.add(new Submission(json.string("job"), json.integer("shards", 1, Integer.MAX_VALUE)));
            }
        } catch (NoSuchFileException none) {
            return List.of();
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        return found;
    }
}
