package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProvidersCommandTest {
    @TempDir
    Path home;

    @BeforeEach
    void addProvider() throws IOException {
        Path folder = Files.createDirectories(home.resolve("providers/fake"));
        Files.writeString(folder.resolve("provider.json"), """
                {"package": "onnxruntime-ep-fake", "version": "1.2", "file": "fake.whl",
                 "added": "2026-03-01T10:00:00Z", "library": "libfake.so",
                 "devices": [{"name": "fake-gpu", "provider": "FakeExecutionProvider", "vendor": "Fake",
                              "kind": "gpu", "model": "", "memory": 8000000000, "precision": "float16"}],
                 "files": [{"path": "libfake.so", "sha256": "00"}]}
                """);
    }

    @Test
    void listsDevicesWithTheirProvider() {
        CommandLineRun list = CommandLineRun.of(home, "providers");
        assertEquals(0, list.exitCode(), list::err);
        for (String expected : new String[] {"cpu\n", "  provider   built in\n", "  pace       not measured\n",
                "fake-gpu\n", "  provider   fake 1.2\n", "  device     GPU, Fake, 8.0 GB\n",
                "  precision  float16\n", "auto takes cpu.\n"})
            assertTrue(list.out().contains(expected), expected + "\n" + list.out());
        JsonArray json = JsonParser.parseString(CommandLineRun.of(home, "providers", "list", "--json").out())
                .getAsJsonArray();
        JsonObject device = json.get(json.size() - 1).getAsJsonObject();
        assertEquals("fake", device.get("plugin").getAsString());
        assertEquals("gpu", device.get("kind").getAsString());
        assertEquals(8_000_000_000L, device.get("memory").getAsLong());
        assertFalse(device.get("automatic").getAsBoolean());
    }

    @Test
    void aPrecisionThatAProviderDoesNotTakeIsRefused() {
        for (String precision : new String[] {"bfloat16", "float16"}) {
            CommandLineRun run = CommandLineRun.of(home, "generate", "--prompt", "x", "--out", home.resolve("x.png"),
                    "--device", "fake-gpu:" + precision);
            assertEquals(2, run.exitCode(), run::err);
            String expected = "--device: FakeExecutionProvider computes only in float32, found \"fake-gpu:" + precision
                    + "\"; use fake-gpu";
            assertTrue(run.err().contains(expected), run::err);
        }
    }

    @Test
    void aRemovedProviderIsInTheTrash() {
        CommandLineRun removed = CommandLineRun.of(home, "providers", "remove", "fake");
        assertEquals("Removed fake.\n", removed.out(), removed::err);
        assertFalse(Files.exists(home.resolve("providers/fake")));
        assertTrue(Files.isDirectory(home.resolve("trash")));
        CommandLineRun again = CommandLineRun.of(home, "providers", "remove", "fake");
        assertEquals(1, again.exitCode());
        assertTrue(again.err().contains("no execution provider \"fake\" was added; none is"), again::err);
    }

    @Test
    void wrongInputNamesWhatWasExpected() throws IOException {
        Path text = Files.writeString(home.resolve("text.whl"), "text");
        CommandLineRun add = CommandLineRun.of(home, "providers", "add", text);
        assertEquals(1, add.exitCode());
        assertTrue(add.err().contains("expected a Python wheel (.whl), a ZIP archive or a folder"), add::err);
        CommandLineRun unknown = CommandLineRun.of(home, "providers", "measure", "other");
        assertEquals(1, unknown.exitCode());
        assertTrue(unknown.err().contains("no device \"other\""), unknown::err);
        CommandLineRun device = CommandLineRun.of(home, "generate", "--prompt", "x", "--out", home.resolve("x.png"),
                "--device", "other");
        assertEquals(2, device.exitCode());
        assertTrue(device.err().contains("--device: expected one of auto, cpu, "), device::err);
        CommandLineRun training = CommandLineRun.of(home, "train", "--photos", home, "--class", "car", "--method",
                "lora", "--out", home.resolve("run"), "--device", "fake-gpu");
        assertEquals(2, training.exitCode());
        assertTrue(training.err().contains("execution providers sample, but do not train"), training::err);
    }

    @Test
    void aProviderWithoutItsFilesIsNotLoaded() {
        CommandLineRun run = CommandLineRun.of(home, "generate", "--prompt", "x", "--out", home.resolve("x.png"),
                "--device", "fake-gpu");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("libfake.so is missing after it was added"), run::err);
    }
}
