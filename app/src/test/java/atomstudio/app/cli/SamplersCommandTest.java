package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplersCommandTest {
    @TempDir
    Path folder;

    @Test
    void jsonListsEverySamplerWithItsSchedules() {
        CommandLineRun run = CommandLineRun.of(folder, "samplers", "--json");
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        JsonArray samplers = JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonArray("samplers");
        assertEquals(SamplerName.values().length, samplers.size());
        for (int i = 0; i < samplers.size(); i++) {
            SamplerName name = SamplerName.values()[i];
            JsonObject sampler = samplers.get(i).getAsJsonObject();
            assertEquals(name.option(), sampler.get("sampler").getAsString());
            assertEquals(name.schedules().stream().map(ScheduleName::option).toList(),
                    sampler.getAsJsonArray("schedules").asList().stream().map(each -> each.getAsString()).toList());
            assertEquals(name.defaultSchedule().option(), sampler.get("usual").getAsString());
            assertEquals(name.defaultEta().isEmpty(), sampler.get("eta").isJsonNull());
        }
    }

    @Test
    void textListsEverySamplerWithItsDefaultSchedule() {
        CommandLineRun run = CommandLineRun.of(folder, "samplers");
        assertEquals(SamplerName.values().length + 1, run.out().lines().count());
        for (SamplerName name : SamplerName.values())
            assertTrue(run.out()
                    .lines()
                    .anyMatch(line -> line.startsWith(name.option() + " ") && line.contains(name.title())
                            && line.contains(name.defaultSchedule().option() + "*")),
                    name.option());
    }
}
