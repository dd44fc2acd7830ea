package atomstudio.app.cluster;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Slurm's commands, with options that old versions know. Accounting (sacct) is not used, since many sites have none.
public record SlurmCommands(String user) {
    private static final Pattern JOB_ID = Pattern.compile("(\\d+)(;.*)?");
    /// `17_3 R`, `17_[4-7%2] PD`, `17 PD`.
    private static final Pattern QUEUE_LINE = Pattern.compile("(\\d+)(?:_(\\S+))? ([A-Z]+)");
    /// Compact codes of states in which a job waits or runs.
    private static final Set<String> WAITING = Set.of("PD", "CF", "RQ", "RH", "RF", "SE", "S", "ST", "SO", "RV", "SI");
    private static final Set<String> RUNNING = Set.of("R", "CG", "RS", "SG");

    public static SlurmCommands ofCurrentUser() {
        return new SlurmCommands(System.getProperty("user.name"));
    }

    /// Tasks of a job array in the queue.
    public record QueuedTasks(int running, int waiting) {
        public boolean isEmpty() { return running + waiting == 0; }
    }

    /// Submits a script.
    /// @return the job's id
    public String submit(Path script) throws Failure {
        String output = run(List.of("sbatch", "--parsable", script.toString())).strip();
        Matcher match = JOB_ID.matcher(output);
        if (!match.matches())
            throw new Failure.Incompatible(
                    "sbatch --parsable: expected the id of a job, found \"" + SafeText.of(output) + "\"");
        return match.group(1);
    }

    /// The tasks of a job that are waiting or running; none after the job has ended.
    public QueuedTasks queued(String jobId) throws Failure {
        return queued(jobId, run(List.of("squeue", "--noheader", "-t", "all", "-u", user, "-o", "%i %t")));
    }

    static QueuedTasks queued(String jobId, String queue) {
        int running = 0;
        int waiting = 0;
        for (String line : queue.lines().map(String::strip).toList()) {
            Matcher match = QUEUE_LINE.matcher(line);
            if (!match.matches() || !match.group(1).equals(jobId)) continue;
            int tasks = match.group(2) == null ? 1 : tasks(match.group(2));
            if (RUNNING.contains(match.group(3))) running += tasks;
            if (WAITING.contains(match.group(3))) waiting += tasks;
        }
        return new QueuedTasks(running, waiting);
    }

    /// The number of indices in `3`, or `[0,4-7%2]`.
    private static int tasks(String indices) {
        int count = 0;
        for (String range : indices.replaceAll("[\\[\\]]|%.*", "").split(",")) {
            Matcher bounds = Pattern.compile("(\\d+)-(\\d+)").matcher(range);
            count += bounds.matches() ? Integer.parseInt(bounds.group(2)) - Integer.parseInt(bounds.group(1)) + 1 : 1;
        }
        return count;
    }

    public void cancel(String jobId) throws Failure {
        run(List.of("scancel", jobId));
    }

    private static String run(List<String> command) throws Failure {
        List<String> words = new ArrayList<>(command);
        try {
            Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int code = process.waitFor();
            if (code != 0)
                throw new Failure.Incompatible(words.getFirst() + " ended with " + code + ": "
                        + SafeText.of(output.strip()));
            return output;
        } catch (IOException e) {
            throw new Failure.Incompatible(words.getFirst() + ": not found; run this on a machine where Slurm's "
                    + "commands are installed, or write the script only with --print");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure.Incompatible(words.getFirst() + ": interrupted");
        }
    }
}
