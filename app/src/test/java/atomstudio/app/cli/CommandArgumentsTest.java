package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

class CommandArgumentsTest {
    @TempDir
    private Path folder;

    @Command(name = "program", subcommands = {Today.class, Earlier.class})
    private static final class Program {}

    @Command(name = "today")
    private static final class Today {
        @Option(names = "--negative-prompt")
        private String negativePrompt = "";

        @Option(names = "--photos", arity = "1..*")
        private List<Path> photos = List.of();

        @Option(names = "--json")
        private boolean json;
    }

    @Command(name = "earlier")
    private static final class Earlier {
        @Option(names = "--negative")
        private String negative = "";
    }

    private static String[] prepare(String arguments) {
        return CommandArguments.prepare(new CommandLine(new Program()), arguments.split(" "));
    }

    private static void assertPrepared(String expected, String arguments) {
        assertArrayEquals(expected.split(" "), prepare(arguments));
    }

    @Test
    void replacesEarlierOptionNames() {
        assertPrepared("today --negative-prompt fog --photos a b --json", "today --negative fog --pictures a b --json");
        assertPrepared("today --photos a --negative-prompt=--negative", "today --pictures a --negative=--negative");
    }

    @Test
    void keepsValuesOtherCommandsAndWhatFollowsTheSeparator() {
        assertPrepared("today --negative-prompt negative", "today --negative-prompt negative");
        assertPrepared("earlier --negative fog", "earlier --negative fog");
        assertPrepared("today -- --negative fog", "today -- --negative fog");
        assertPrepared("--negative fog", "--negative fog");
    }

    @Test
    void rejectsAnOptionWithoutItsValue() {
        for (String arguments : List.of("today --negative-prompt --photos a", "today --negative --pictures a",
                "today --photos --json")) {
            String message = assertThrows(ParameterException.class, () -> prepare(arguments)).getMessage();
            assertTrue(message.contains("Expected parameter for option"), message);
        }
    }

    @Test
    void helpListsOnlyTodaysNames() {
        for (String command : List.of("generate", "train", "compare", "experiment")) {
            String help = CommandLineRun.of(folder, command, "--help").out();
            for (String earlier : List.of("--negative", "--strength", "--denoise", "--hires", "--safety", "--pictures",
                    "--token", "--tune-steps"))
                assertFalse(help.matches("(?s).*" + earlier + "(?![-\\w]).*"), command + " " + earlier);
        }
    }
}
