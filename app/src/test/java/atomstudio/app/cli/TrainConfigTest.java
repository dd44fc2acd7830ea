package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--config` and `--preset` of `train`.
class TrainConfigTest {
    @TempDir
    private Path home;

    @Test
    void wrongInputOfAFileIsNamedWithItsLine() throws Exception {
        Path file = Files.writeString(home.resolve("run.toml"), "method = \"lora\"\nsteps = 0\n");
        CommandLineRun run = CommandLineRun.of(home, "train", "--config", file, "--photos", home, "--out", "run");
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("run.toml, line 2: steps: expected at least 1, found 0"), run.err());
    }

    @Test
    void requiredOptionsMayComeFromAFile() throws Exception {
        CommandLineRun run = CommandLineRun.of(home, "train", "--out", "run");
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("Missing required option: '--photos=DIR'"), run.err());
        Path file = Files.writeString(home.resolve("run.toml"), "photos = \"" + home + "\"\n");
        run = CommandLineRun.of(home, "train", "--config", file, "--out", "run");
        assertTrue(run.err().contains("Missing required option: '--method=NAME'"), run.err());
        run = CommandLineRun.of(home, "train", "--config", file, "--method", "lora", "--rank", "x", "--out", "run");
        assertTrue(run.err().contains("--rank: expected a whole number, found x"), run.err());
        assertEquals(ExitCode.USAGE, run.exitCode());
    }

    @Test
    void presetsAreNamedInHelpAndErrors() {
        CommandLineRun help = CommandLineRun.of(home, "train", "--help");
        assertTrue(help.out().replaceAll("\\s+", " ").contains("thorough: twice the method's steps, --validate"),
                help.out());
        assertTrue(help.out().contains("--[no-]validate"), help.out());
        CommandLineRun run = CommandLineRun.of(home, "train", "--preset", "fast", "--photos", home);
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("preset: expected one of quick, balanced, thorough, found \"fast\""), run.err());
    }
}
