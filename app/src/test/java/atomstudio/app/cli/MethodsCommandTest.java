package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.Paper;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MethodsCommandTest {
    @TempDir
    Path folder;

    @Test
    void listsEveryMethodWithParametersAndLayers() {
        CommandLineRun run = CommandLineRun.of(folder, "methods", "--json");
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals(Stream.of(MethodName.values()).map(MethodName::option).toList(),
                json.getAsJsonArray("methods")
                        .asList()
                        .stream()
                        .map(each -> each.getAsJsonObject().get("method").getAsString())
                        .toList());
        json.getAsJsonArray("methods").forEach(each -> {
            JsonObject method = each.getAsJsonObject();
            assertTrue(method.get("parameters").getAsLong() > 0, method::toString);
            assertEquals(method.get("parameters"), method.get("numbers"));
            assertTrue(method.get("bytes").getAsLong() > 4 * method.get("parameters").getAsLong(), method::toString);
            assertFalse(method.getAsJsonArray("layers").isEmpty());
            assertTrue(method.getAsJsonArray("papers").get(0).getAsJsonObject().get("year").getAsInt() > 2018);
        });
        assertEquals(Paper.Variant.ALL.size(), json.getAsJsonArray("variants").size());
        CommandLineRun lines = CommandLineRun.of(folder, "methods");
        for (MethodName choice : MethodName.values())
            assertTrue(lines.out().contains(choice.option() + " "), choice.option());
        for (Paper paper : Paper.values())
            assertTrue(lines.out().contains("    " + paper.citation() + ", " + paper.title()), paper::name);
        assertTrue(lines.out().contains("--init pissa           PiSSA, of lora, locon\n"), lines::out);
    }

    @Test
    void optionOfAnotherMethodIsWrongUsage() {
        Object[] train = {"train", "--photos", folder, "--class", "car", "--out", folder.resolve("run")};
        CommandLineRun run = CommandLineRun.of(folder, with(train, "--method", "atoms", "--rank", "8"));
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("--rank: belongs to lora, locon"), run::err);
        CommandLineRun earlierNames = CommandLineRun.of(folder, "tune", "--pictures", folder, "--class", "car",
                "--method",
                "bitfit", "--m1", "3", "--out", folder.resolve("run"));
        assertEquals(ExitCode.USAGE, earlierNames.exitCode());
        assertTrue(earlierNames.err().contains("--inner-atoms: belongs to"), earlierNames::err);
        assertEquals(ExitCode.USAGE,
                CommandLineRun.of(folder, with(train, "--method", "atoms", "--atoms", "0")).exitCode());
        assertEquals(ExitCode.USAGE,
                CommandLineRun.of(folder, with(train, "--method", "atoms", "--coding", "dense")).exitCode());
        CommandLineRun unknown = CommandLineRun.of(folder, with(train, "--method", "magic"));
        assertEquals(ExitCode.USAGE, unknown.exitCode());
        assertTrue(unknown.err().contains("overcomplete+channels"), unknown::err);
    }

    @Test
    void helpListsEverySettingWithoutAliases() {
        String help = CommandLineRun.of(folder, "train", "--help").out();
        List<String> options = Stream
                .concat(Stream.of(MethodSetting.values()).map(MethodSetting::option),
                        Stream.of(TrainingSetting.values()).map(TrainingSetting::option))
                .toList();
        for (String option : options)
            assertTrue(help.contains("--" + option) || help.contains("--[no-]" + option), option);
        List<String> aliases = Stream
                .concat(Stream.of(MethodSetting.values()).map(MethodSetting::aliases),
                        Stream.of(TrainingSetting.values()).map(TrainingSetting::aliases))
                .flatMap(List::stream)
                .toList();
        for (String alias : aliases) assertFalse(help.matches("(?s).*--" + alias + "(?![-\\w]).*"), alias);
    }

    private static Object[] with(Object[] some, Object... more) {
        return Stream.of(some, more).flatMap(Stream::of).toArray();
    }
}
