package atomstudio.app.cluster;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A command that is run once for each shard of a piece of work, with its folder on a disk that all machines share.
/// @param name    of the job
/// @param command with its arguments; [#commandLine] adds the shard
/// @param folder  where the script and the logs are written
/// @param shards  independent of the number of runs, since schedulers limit the size of an array
/// @param atOnce  shards that run at the same time
/// @param gpus    of each shard
public record JobArray(String name, List<String> command, Path folder, int shards, int atOnce, int gpus) {
    public static final int DEFAULT_AT_ONCE = 8;
    /// Exit codes of a shard that was stopped by TERM and continues when it is run again: while it worked, while it
    /// started or ended, and before Java handled signals.
    static final List<Integer> STOPPED = List.of(75, 130, 143);
    /// Slurm's default MaxArraySize is 1001.
    private static final int MAX_SHARDS = 1000;
    private static final int SHARDS_PER_SLOT = 4;

    public JobArray {
        command = List.copyOf(command);
        if (shards < 1) throw new IllegalArgumentException("shards: expected at least 1, found " + shards);
        if (atOnce < 1) throw new IllegalArgumentException("at-once: expected at least 1, found " + atOnce);
        if (gpus < 0) throw new IllegalArgumentException("gpus: expected at least 0, found " + gpus);
    }

    /// A few shards for each slot: one of several runs loads Java and the model once.
    public static int defaultShards(int runs, int atOnce) {
        return Math.max(1, Math.min(runs, Math.min(SHARDS_PER_SLOT * atOnce, MAX_SHARDS)));
    }

    /// The command for a POSIX shell.
    /// @param indexVariable environment variable with the index of the shard, from 0
    String commandLine(String indexVariable) {
        List<String> words = new ArrayList<>(command.stream().map(JobArray::quoted).toList());
        words.add("--shard");
        words.add("\"$" + indexVariable + "/" + shards + "\"");
        return String.join(" ", words);
    }

    /// A word of a POSIX shell, in single quotes where it needs them.
    static String quoted(String word) {
        return word.matches("[\\w@%+=:,./-]+") ? word
                : word.chars()
                        .mapToObj(c -> c == '\'' ? "'\\''" : Character.toString(c))
                        .collect(Collectors.joining("", "'", "'"));
    }
}
