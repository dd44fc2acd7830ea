package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Home;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Command;

class MainTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void helpHasExamplesAndExitCodes() {
        assertEquals(ExitCode.SUCCESS, run("--help"));
        assertTrue(out.toString().contains("Examples:"), out::toString);
        assertTrue(out.toString().contains("130   cancelled"), out::toString);
        assertEquals("", err.toString());
    }

    @Test
    void versionHasProgramAndJava() {
        assertEquals(ExitCode.SUCCESS, run("--version"));
        assertTrue(out.toString().matches("(?s)Atom Studio \\d+\\.\\d+.*Java 25.*"), out::toString);
    }

    @Test
    void unknownCommandIsWrongUsage() {
        assertEquals(ExitCode.USAGE, run("tuna"));
        assertEquals("", out.toString());
        assertTrue(err.toString().contains("'tuna'") && err.toString().contains("studio --help"), err::toString);
    }

    @Test
    void unknownOptionIsWrongUsage() {
        assertEquals(ExitCode.USAGE, run("--colour"));
        assertTrue(err.toString().contains("--colour"), err::toString);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasHelpWithExamples(String name) {
        assertEquals(ExitCode.SUCCESS, run(name, "--help"));
        assertTrue(out.toString().contains("studio " + name), out::toString);
        assertTrue(out.toString().contains("Example"), out::toString);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandRejectsUnknownOptionsAndNamesItsHelp(String name) {
        assertEquals(ExitCode.USAGE, run(name, "--colour", "red"));
        assertTrue(err.toString().contains("studio " + name + " --help"), err::toString);
        assertFalse(err.toString().contains("\tat "), err::toString);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void noCommandReadsArgumentFiles(String name) throws Exception {
        Path file = Files.writeString(folder.resolve("arguments"), "--help\n");
        assertFalse(run(name, "@" + file) == ExitCode.SUCCESS, out::toString);
        assertEquals("", out.toString());
    }

    @Test
    void programReadsNoArgumentFiles() throws Exception {
        Path file = Files.writeString(folder.resolve("arguments"), "--version\n");
        assertEquals(ExitCode.USAGE, run("@" + file));
    }

    @Test
    void trainIsListedWithItsAlias() {
        run("--help");
        assertTrue(out.toString().contains("train, tune "), out::toString);
        assertEquals(ExitCode.SUCCESS, run("tune", "--help"));
    }

    @Test
    void helpCreatesNothingInTheHome() {
        run("--help");
        assertFalse(Files.exists(folder.resolve("home")));
    }

    static Stream<String> commands() {
        return Main.commands(new CommandContext(new Home(Path.of("nowhere")),
                Terminal.plain(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter())), noSignals()))
                .stream()
                .map(command -> command.getClass().getAnnotation(Command.class).name());
    }

    private int run(String... arguments) {
        Terminal terminal = Terminal.plain(new PrintWriter(out), new PrintWriter(err));
        return Main.run(new CommandContext(new Home(folder.resolve("home")), terminal, noSignals()), home -> {},
                arguments);
    }

    private static StopSignal noSignals() {
        return new StopSignal(Terminal.plain(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter())),
                code -> {});
    }
}
