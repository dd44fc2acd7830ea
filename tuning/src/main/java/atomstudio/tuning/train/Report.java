package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.tensor.AtomicFile;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalInt;

/// What a finished run came to.
/// @param numbers    numbers tuned
/// @param bytes      size of the adapter file
/// @param seconds    training time without the time in which it was stopped
/// @param loss       mean loss of the last steps
/// @param share      numbers tuned over the UNet's parameters
/// @param steps      steps trained; fewer than asked for where the run ended early
/// @param peakMemory most resident bytes of the process
/// @param best       the step whose numbers are the adapter, the best by validation; empty: the last one's
public record Report(long numbers, long bytes, double seconds, int steps, double loss, double share, long peakMemory, OptionalInt best) {
    static Report read(Path file) throws Failure {
        Json json = Json.read(file);
        return new Report(json.whole("numbers"), json.whole("bytes"), json.number("seconds"), (int) json.whole("steps"), json.number("loss"), json.number("share"), json.whole("peakMemory"),
                json.has("best") ? OptionalInt.of((int) json.whole("best")) : OptionalInt.empty());
    }

    void write(Path file) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("numbers", numbers);
        json.addProperty("bytes", bytes);
        json.addProperty("seconds", seconds);
        json.addProperty("steps", steps);
        json.addProperty("loss", loss);
        json.addProperty("share", share);
        json.addProperty("peakMemory", peakMemory);
        best.ifPresent(step -> json.addProperty("best", step));
        AtomicFile.write(file, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
