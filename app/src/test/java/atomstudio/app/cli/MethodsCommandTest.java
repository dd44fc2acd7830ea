package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodName;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MethodsCommandTest {
    @TempDir
    Path folder;

    @Test
    void everyMethodIsListedWithWhatItTunes() {
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
            assertTrue(method.get("numbers").getAsLong() > 0, method::toString);
            assertTrue(method.get("bytes").getAsLong() > 4 * method.get("numbers").getAsLong(), method::toString);
            assertFalse(method.getAsJsonArray("layers").isEmpty());
        });
        CommandLineRun lines = CommandLineRun.of(folder, "methods");
        for (MethodName choice : MethodName.values())
            assertTrue(lines.out().contains(choice.option() + " "), choice.option());
    }

    @Test
    void anOptionOfAnotherMethodIsWrongUsage() {
        Object[] tune = {"tune", "--pictures", folder, "--class", "car", "--out", folder.resolve("run")};
        CommandLineRun run = CommandLineRun.of(folder, with(tune, "--method", "atoms", "--rank", "8"));
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("--rank: belongs to lora, locon"), run::err);
        assertEquals(ExitCode.USAGE,
                CommandLineRun.of(folder, with(tune, "--method", "bitfit", "--m1", "3")).exitCode());
        assertEquals(ExitCode.USAGE,
                CommandLineRun.of(folder, with(tune, "--method", "atoms", "--atoms", "10")).exitCode());
        assertEquals(ExitCode.USAGE,
                CommandLineRun.of(folder, with(tune, "--method", "atoms", "--coding", "dense")).exitCode());
        CommandLineRun unknown = CommandLineRun.of(folder, with(tune, "--method", "magic"));
        assertEquals(ExitCode.USAGE, unknown.exitCode());
        assertTrue(unknown.err().contains("overcomplete+channels"), unknown::err);
    }

    @Test
    void helpNamesEverySetting() {
        String help = CommandLineRun.of(folder, "tune", "--help").out();
        for (MethodSetting setting : MethodSetting.values())
            assertTrue(help.contains("--" + setting.option()), setting.option());
    }

    private static Object[] with(Object[] some, Object... more) {
        return Stream.of(some, more).flatMap(Stream::of).toArray();
    }
}
