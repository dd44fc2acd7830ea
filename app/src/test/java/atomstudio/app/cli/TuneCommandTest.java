package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.Home;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is refused before anything is loaded.
class TuneCommandTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void whatIsMissingIsNamed() {
        assertEquals(ExitCode.USAGE, run("tune", "--class", "car"));
        for (String option : List.of("--pictures", "--method", "--out")) {
            assertTrue(err.toString().contains(option), err::toString);
        }
    }

    @Test
    void anUnknownMethodIsWrongUsageAndTheKnownOnesAreListed() {
        assertEquals(ExitCode.USAGE, tune("--method", "dreambooth"));
        assertTrue(err.toString().contains("\"dreambooth\"") && err.toString().contains("atoms+channels"), err::toString);
    }

    @Test
    void numbersOutOfRangeAreWrongUsageAndNamedByTheirOption() {
        assertEquals(ExitCode.USAGE, tune("--method", "atoms", "--steps", "0"));
        assertTrue(err.toString().contains("--steps: expected at least 1, found 0"), err::toString);
        assertEquals(ExitCode.USAGE, tune("--method", "atoms", "--rate", "-1"));
        assertTrue(err.toString().contains("--rate"), err::toString);
    }

    @Test
    void aDeviceThatIsNotThereIsRefusedWithWhatBringsIt() {
        assertEquals(ExitCode.FAILED, tune("--method", "atoms", "--device", "cuda"));
        assertTrue(err.toString().contains("mvn -P cuda"), err::toString);
        assertFalse(Files.exists(folder.resolve("run")));
    }

    private int tune(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "tune", "--pictures", folder.toString(), "--class", "car", "--out", folder.resolve("run").toString()));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    private int run(String... arguments) {
        Terminal terminal = Terminal.plain(new PrintWriter(out), new PrintWriter(err));
        StopSignal deaf = new StopSignal(terminal, code -> { });
        return Main.run(new Studio(new Home(folder.resolve("home")), terminal, deaf), home -> { }, arguments);
    }
}
