package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Home;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Submitting with fake commands of Slurm on the PATH, in processes of their own.
@EnabledOnOs({OS.LINUX, OS.MAC})
class BenchmarkSubmitTest {
    @TempDir
    Path folder;

    private record Result(int code, String text) {}

    private Result benchmark(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        Main.class.getName(), "benchmark", "--out", folder.resolve("b").toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("text");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put(Home.ENVIRONMENT_VARIABLE, folder.resolve("home").toString());
        // Java finds commands by the PATH of this process; the fake ones come first.
        builder.environment().put("PATH", folder.resolve("bin") + ":/bin");
        int code = builder.start().waitFor();
        return new Result(code, Files.readString(output));
    }

    private void fake(String name, String script) throws IOException {
        Path file = Files.createDirectories(folder.resolve("bin")).resolve(name);
        Files.writeString(file, "#!/bin/sh\necho \"" + name + " $*\" >> " + folder.resolve("calls") + "\n" + script
                + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void submitsReportsAndCancels() throws Exception {
        String user = System.getProperty("user.name");
        fake("sbatch", "echo 41");
        fake("squeue", "echo 41_0 R; echo '41_[1-3%2] PD'; echo 7_0 R");
        fake("scancel", "");
        Result submitted = benchmark("--subjects", "owl,car", "--methods", "untuned,atoms", "--submit", "slurm",
                "--at-once", "2", "--program", "/opt/studio", "--time", "1:00:00");
        assertEquals(ExitCode.SUCCESS, submitted.code(), submitted.text());
        assertTrue(submitted.text().contains("Job 41: 4 shards, 2 at once"), submitted.text());
        Path out = folder.resolve("b");
        assertTrue(Files.readString(out.resolve("slurm.sh"))
                .contains("srun /opt/studio benchmark --out " + out + " --shard \"$SLURM_ARRAY_TASK_ID/4\""));
        assertTrue(Files.isDirectory(out.resolve("logs")), "Slurm does not create it");
        assertEquals("{\"engine\":\"slurm\",\"job\":\"41\",\"shards\":4}\n",
                Files.readString(out.resolve("submissions.jsonl")));
        assertEquals("sbatch --parsable " + out.resolve("slurm.sh") + "\n", Files.readString(folder.resolve("calls")));

        Result status = benchmark("--status");
        assertTrue(status.text().contains("4 runs: 0 finished")
                && status.text().contains("Job 41: 1 shards running, 3 waiting"), status.text());
        Result cancelled = benchmark("--cancel");
        assertTrue(cancelled.text().contains("Cancelled job 41"), cancelled.text());
        assertTrue(Files.readString(folder.resolve("calls"))
                .endsWith("squeue --noheader -t all -u " + user + " -o %i %t\nscancel 41\n"));
    }

    @Test
    void failuresOfTheSchedulerAreNamed() throws Exception {
        fake("sbatch", "echo 'sbatch: error: invalid partition specified: gpu'; exit 1");
        Result refused = benchmark("--subjects", "owl", "--methods", "untuned", "--submit", "slurm", "--partition",
                "gpu");
        assertEquals(ExitCode.FAILED, refused.code());
        assertTrue(refused.text().contains("invalid partition"), refused.text());
        Result unclaimed = benchmark("--submit", "kubernetes", "--container", "studio:1");
        assertEquals(ExitCode.USAGE, unclaimed.code());
        assertTrue(unclaimed.text().contains("--claim"), unclaimed.text());
        Result elsewhere = benchmark("--submit", "kubernetes", "--container", "studio:1", "--claim", "data", "--mount",
                "/elsewhere");
        assertEquals(ExitCode.USAGE, elsewhere.code());
        assertTrue(elsewhere.text().contains("--mount: expected a folder that contains --out"), elsewhere.text());
    }
}
