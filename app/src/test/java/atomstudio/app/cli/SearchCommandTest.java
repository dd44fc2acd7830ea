package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SearchCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"--population,3,--population: expected at least 4",
            "--generations,0,--generations: expected at least 1",
            "--budget,0,--budget: expected at least 1", "--budget,many,--budget",
            "--fitness,beauty,expected loss or likeness"})
    void wrongOptionsAreWrongUsage(String option, String value, String message) {
        CommandLineRun run = CommandLineRun.of(folder, "search", folder, option, value);
        assertEquals(ExitCode.USAGE, run.exitCode(), run::err);
        assertTrue(run.err().contains(message), run::err);
    }

    @Test
    void aFolderWithoutRunIsAFailure() {
        CommandLineRun run = CommandLineRun.of(folder, "search", folder);
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("expected a run folder with run.json"), run::err);
    }
}
