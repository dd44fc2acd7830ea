package atomstudio.app.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The batch script of a job array on Slurm.
///
/// The work is run by `srun`, since `--signal` without `B:` reaches job steps only. The signal is TERM, which a JVM
/// handles. The number of shards is written as a number and not taken from SLURM_ARRAY_TASK_COUNT, so that submitting
/// some indices again keeps the slices. A stopped task is requeued as ARRAY_INDEX, since the id of one task equals that
/// of the array. Source: manual pages sbatch, srun and scontrol of Slurm 22.05.
/// @param options further options of sbatch, e.g. `--mem=16G`
/// @param setup   lines before the command, e.g. `module load java`
public record SlurmScript(JobArray array, Optional<String> partition, Optional<String> account, Optional<String> time,
        List<String> options, List<String> setup) {
    /// A task is requeued at most this often.
    private static final int MAX_RESTARTS = 100;

    public SlurmScript {
        options = List.copyOf(options);
        setup = List.copyOf(setup);
    }

    public String text() {
        List<String> lines = new ArrayList<>(List.of("#!/bin/bash"));
        directive(lines, "--job-name=" + array.name());
        directive(lines, "--array=0-" + (array.shards() - 1) + "%" + array.atOnce());
        directive(lines, "--requeue");
        directive(lines, "--open-mode=append");
        directive(lines, "--output=" + quotedValue(array.folder().resolve("logs").resolve("%A_%a.log").toString()));
        directive(lines, "--signal=TERM@120");
        if (array.gpus() > 0) directive(lines, "--gres=gpu:" + array.gpus());
        partition.ifPresent(value -> directive(lines, "--partition=" + value));
        account.ifPresent(value -> directive(lines, "--account=" + value));
        time.ifPresent(value -> directive(lines, "--time=" + value));
        options.forEach(option -> directive(lines, option));
        lines.add("");
        lines.addAll(setup);
        lines.add("srun " + array.commandLine("SLURM_ARRAY_TASK_ID"));
        lines.add("code=$?");
        lines.add("case \"$code\" in");
        lines.add(JobArray.STOPPED.stream().map(String::valueOf).collect(Collectors.joining("|", "", ")")));
        lines.add("    if [ \"${SLURM_RESTART_COUNT:-0}\" -lt " + MAX_RESTARTS + " ]; then");
        lines.add("        scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"");
        lines.add("    fi ;;");
        lines.add("esac");
        lines.add("exit \"$code\"");
        return String.join("\n", lines) + "\n";
    }

    private static void directive(List<String> lines, String option) {
        lines.add("#SBATCH " + option);
    }

    /// sbatch reads its directives without a shell, but removes double quotes.
    private static String quotedValue(String value) {
        return value.contains(" ") ? '"' + value + '"' : value;
    }
}
