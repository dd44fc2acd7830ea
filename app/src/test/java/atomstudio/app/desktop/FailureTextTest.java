package atomstudio.app.desktop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remedy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FailureTextTest {
    private static final Path ROOT = Path.of(System.getProperty("atomstudio.root"));
    private static final Pattern OPTION = Pattern.compile("\"[^\"\n]*(?<![!<-])--[a-z][^\"\n]*\"");
    /// The command line itself, what starts child processes with options, and settings in files of the command line.
    private static final List<String> COMMAND_LINE = List.of("app/cli/", "app/process/", "app/estimate/",
            "app/experiment/", "app/benchmark/", "app/cluster/", "app/compare/", "app/verify/", "app/inspect/",
            "WindowLauncher", "TrainingEstimator.java", "ChildProcessTrial.java", "ConfigFile.java");

    @Test
    void beginsWithWhatHappenedAndEndsWithThePath() {
        assertEquals("style.safetensors is a LoRA, not a model. Open the model itself on the Models page. "
                + "Path: /models/style.safetensors",
                FailureText.of(new Failure.Incompatible("/models/style.safetensors: is a LoRA, not a model",
                        Remedy.CHOOSE_MODEL)));
        assertEquals("run.json: expected a JSON file, found nothing. Path: /runs/car/run.json",
                FailureText.of(new Failure.Unreadable("/runs/car/run.json: expected a JSON file, found nothing")));
        assertEquals("The trash /home/trash cannot be listed: broken",
                FailureText.of(new Failure.Unreadable("The trash /home/trash cannot be listed: broken")));
    }

    @ParameterizedTest
    @EnumSource
    void windowNamesNoOption(Remedy remedy) {
        String text = FailureText.of(new Failure.Incompatible("/a/b.safetensors: is wrong", remedy));
        assertFalse(text.contains("--"), text);
        assertTrue(text.length() > "b.safetensors is wrong. Path: /a/b.safetensors".length(), text);
    }

    /// Messages below the command line reach the window as well.
    @Test
    void messagesBelowTheCommandLineNameNoOption() throws IOException {
        List<String> found = new ArrayList<>();
        for (String module : List.of("diffusion", "tuning", "app")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(module + "/src/main/java"))) {
                for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
                    String name = ROOT.relativize(file).toString().replace('\\', '/');
                    if (COMMAND_LINE.stream().anyMatch(name::contains)) continue;
                    Matcher option = OPTION.matcher(Files.readString(file));
                    while (option.find()) found.add(name + ": " + option.group());
                }
            }
        }
        assertEquals(List.of(), found);
    }
}
