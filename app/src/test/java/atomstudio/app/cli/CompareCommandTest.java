package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.FakeRun;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.tuning.adapter.BaseModelHashes;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompareCommandTest {
    private static final Path CAR = Shared.root().resolve("assets/subjects/car");

    private static final Map<String, Integer> QUICK = Map.of("--seeds", 1, "--steps", 1, "--cfg-scale", 1, "--width",
            64,
            "--height", 64);

    @TempDir
    private Path folder;
    private Path prompts = Path.of("");

    @BeforeEach
    void writePrompts() throws IOException {
        prompts = Files.writeString(folder.resolve("prompts.txt"), "\uFEFFa {} in the snow\n\n   \n  a {} \r\n");
    }

    private Path run(String method) throws Failure {
        return new FakeRun(Shared.root().resolve("assets/default-model"),
                new BaseModelHashes(folder.resolve("hashes.json")), method).write(folder.resolve("run of " + method));
    }

    /// With quick settings unless others are given.
    private CommandLineRun compare(Object... options) {
        List<Object> arguments = new ArrayList<>(
                List.of("compare", "--prompts", prompts, "--out", folder.resolve("out")));
        arguments.addAll(Arrays.asList(options));
        QUICK.forEach((option, value) -> {
            if (!arguments.contains(option)) arguments.addAll(List.of(option, value));
        });
        return CommandLineRun.of(folder.resolve("home"), arguments.toArray());
    }

    @Test
    void comparesRunsAndPrintsTheFiles() throws Failure, IOException {
        CommandLineRun run = compare("--run", run("atoms"), "--run", run("lora"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        for (String file : List.of("sheet.png", "index.html")) {
            assertTrue(run.out().contains(folder.resolve("out").resolve(file).toString()), run.out());
            assertTrue(Files.exists(folder.resolve("out").resolve(file)), file);
        }
        assertTrue(run.out()
                .lines()
                .anyMatch(line -> line.matches(
                        "LoRA +[\\d,]+ parameters +[\\d.]+ KB +1\\.5 s +likeness -?0\\.\\d\\d +diversity – "
                                + "+alignment -?0\\.\\d\\d")),
                run.out());
        JsonObject json = JsonParser.parseString(Files.readString(folder.resolve("out/compare.json")))
                .getAsJsonObject();
        assertEquals(JsonParser.parseString("[\"a {} in the snow\",\"a {}\"]"), json.get("prompts"));
        assertEquals("car", json.get("class").getAsString());
        assertEquals(3, json.getAsJsonArray("rows").size());
    }

    @Test
    void acceptsSeveralRunsPerOptionAndPrintsJson() throws Failure {
        CommandLineRun run = compare("--json", "--run", run("atoms"), run("lora"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals(folder.resolve("out/sheet.png").toString(), json.get("sheet").getAsString());
        assertEquals("lora",
                json.getAsJsonObject("comparison")
                        .getAsJsonArray("rows")
                        .get(2)
                        .getAsJsonObject()
                        .get("name")
                        .getAsString());
    }

    @Test
    void trainsThreeMethodsAndResumesThem() throws IOException {
        Path photos = Files.createDirectories(folder.resolve("photos"));
        Files.copy(CAR.resolve("00.png"), photos.resolve("00.png"));
        Files.writeString(photos.resolve("notes.txt"), "no picture");
        Object[] options = {"--photos", photos, "--class", "car", "--trigger-word", "zwx", "--train-steps", 1};
        CommandLineRun first = compare(options);
        assertEquals(ExitCode.SUCCESS, first.exitCode(), first::err);
        assertEquals(1, first.err().lines().filter("skipped 1 file that is not an image"::equals).count(), first.err());
        String described = Files.readString(folder.resolve("out/compare.json"));
        for (String name : List.of("atoms+word", "atoms+channels", "lora")) {
            assertTrue(Files.exists(folder.resolve("out/runs").resolve(name).resolve("adapter.safetensors")), name);
            assertTrue(Files.exists(folder.resolve("out/pictures").resolve(name).resolve("1-0.png")), name);
            assertTrue(described.contains("\"runs/" + name + "\""), described);
        }
        CommandLineRun again = compare(options);
        assertEquals(ExitCode.SUCCESS, again.exitCode(), again::err);
        assertEquals(described, Files.readString(folder.resolve("out/compare.json")),
                "finished runs are not trained again");
        CommandLineRun other = compare("--photos", photos, "--class", "boat", "--tune-steps", 1);
        assertEquals(ExitCode.FAILED, other.exitCode());
        assertTrue(other.err().contains("zwx car") && other.err().contains("sks boat"), other.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--photos photos", "--class car", "--run a --photos photos --class car",
            "--run a --trigger-word zwx", "--run a --model m",
            "--photos photos --class car --train-steps 0", "--run a --seeds 0", "--run a --sampler nosuch", "--run",
            "--photos photos --class= "})
    void rejectsWrongUsage(String options) {
        CommandLineRun run = compare((Object[]) (options.isEmpty() ? new String[0] : options.strip().split(" ")));
        assertEquals(ExitCode.USAGE, run.exitCode(), run::err);
        assertTrue(run.err().contains("studio compare --help"), run.err());
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @Test
    void rejectsInvalidInputBeforeWriting() throws IOException {
        rejected("nothing there", "--photos", folder.resolve("photos"), "--class", "car");
        rejected("karras", "--photos", CAR, "--class", "car", "--sampler", "tcd", "--schedule", "karras");
        rejected("multiples of 8", "--photos", CAR, "--class", "car", "--height", 70);
        rejected("not a model folder", "--photos", CAR, "--class", "car", "--model", folder);
        rejected("run folder", "--run", folder);
        Files.writeString(prompts, "a {} <lora:ink:0.8>\n");
        rejected("names an adapter", "--photos", CAR, "--class", "car");
        Files.writeString(prompts, "\n \n");
        rejected("prompts.txt", "--photos", CAR, "--class", "car");
        Files.write(prompts, new byte[] {'a', (byte) 0xFF, 'b'});
        rejected("UTF-8", "--photos", CAR, "--class", "car");
        Files.delete(prompts);
        rejected("prompts.txt", "--photos", CAR, "--class", "car");
    }

    private void rejected(String because, Object... options) {
        CommandLineRun run = compare(options);
        assertEquals(ExitCode.FAILED, run.exitCode(), run::err);
        assertTrue(run.err().contains(because), run.err());
        assertFalse(Files.exists(folder.resolve("out")));
    }
}
