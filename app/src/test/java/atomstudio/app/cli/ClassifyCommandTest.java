package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.torch.TorchSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClassifyCommandTest {
    private static final Path MODEL = Path.of("../diffusion/src/test/resources/goldens/classifiers/vit-timm");

    @TempDir
    Path folder;

    private static CommandLineRun run(Object... arguments) {
        return CommandLineRun.of(TorchSettings.standard().natives().getParent(), arguments);
    }

    /// Dark and bright images in two classes.
    private Path data() throws Exception {
        for (int i = 0; i < 12; i++) {
            Path file = folder.resolve("data").resolve(i % 2 == 0 ? "dark" : "bright").resolve(i + ".png");
            Files.createDirectories(file.getParent());
            PngWriter.write(file, RgbImage.filled(24, 24, i % 2 == 0 ? 0x101010 + i : 0xE0E0E0 + i), Map.of());
        }
        return folder.resolve("data");
    }

    @Test
    void trainsEvaluatesAndPredicts() throws Exception {
        Path data = data(), out = folder.resolve("run");
        CommandLineRun train = run("classify", "train", "--data", data, "--model", MODEL, "--method", "lora",
                "--steps", "20", "--batch-size", "4", "--head-learning-rate", "0.05", "--out", out, "--device", "cpu",
                "--json");
        assertEquals(ExitCode.SUCCESS, train.exitCode(), train::err);
        JsonObject report = JsonParser.parseString(train.out()).getAsJsonObject();
        assertEquals(2 * 33, report.get("headParameters").getAsInt());
        assertEquals(20, report.get("steps").getAsInt());
        assertEquals(1, report.get("accuracy").getAsDouble(), train.out());
        CommandLineRun evaluate = run("classify", "evaluate", "--run", out, "--data", data, "--device", "cpu",
                "--json");
        assertEquals(ExitCode.SUCCESS, evaluate.exitCode(), evaluate::err);
        JsonObject accuracy = JsonParser.parseString(evaluate.out()).getAsJsonObject();
        assertEquals(12, accuracy.get("images").getAsInt());
        assertEquals(2, accuracy.getAsJsonArray("classes").size());
        CommandLineRun predict = run("classify", "predict", "--run", out, data.resolve("dark/0.png"),
                data.resolve("bright/1.png"), "--top", "2", "--device", "cpu", "--json");
        assertEquals(ExitCode.SUCCESS, predict.exitCode(), predict::err);
        JsonArray images = JsonParser.parseString(predict.out()).getAsJsonArray();
        assertEquals("dark", best(images, 0));
        assertEquals("bright", best(images, 1));
        assertTrue(run("classify", "evaluate", "--run", out).out().startsWith("accuracy "));
    }

    @Test
    void aDryRunCountsParametersAndMemory() throws Exception {
        CommandLineRun dry = run("classify", "train", "--data", data(), "--model", MODEL, "--method", "vera",
                "--dry-run", "--device", "cpu", "--json");
        assertEquals(ExitCode.SUCCESS, dry.exitCode(), dry::err);
        JsonObject estimate = JsonParser.parseString(dry.out()).getAsJsonObject();
        assertEquals(2 * 33, estimate.get("headParameters").getAsInt());
        assertTrue(estimate.get("memory").getAsLong() > 0 && estimate.get("fits").getAsBoolean(), dry.out());
        CommandLineRun text = run("classify", "train", "--data", folder.resolve("data"), "--model", MODEL, "--method",
                "vera", "--dry-run", "--device", "cpu");
        assertTrue(text.out().endsWith("It fits.\n"), text.out());
        assertTrue(run("classify", "train", "--help").out().replaceAll("\\s+", " ").contains("Not supported: "));
    }

    private static String best(JsonArray images, int index) {
        return images.get(index)
                .getAsJsonObject()
                .getAsJsonArray("classes")
                .get(0)
                .getAsJsonObject()
                .get("class")
                .getAsString();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"difffit | --method: expected one of atoms, ",
            "nothing | --method nothing: expected one of atoms, ",
            "atoms --atoms 0 | --atoms: expected at least 1", "atoms --rank 4 | --rank: belongs to ",
            "atoms --validation-share 2 | --validation-share: expected a number between 0 and 1",
            "atoms --image-size 0 | --image-size: expected at least 1",
            "atoms --head-learning-rate -1 | --head-learning-rate: expected a number above 0"})
    void wrongOptionsAreWrongUsage(String options, String message) {
        CommandLineRun run = run(
                (Object[]) ("classify train --data x --model y --out z --method " + options).split(" "));
        assertEquals(ExitCode.USAGE, run.exitCode(), run::err);
        assertTrue(run.err().contains(message), run.err());
    }

    @Test
    void missingPartsAreNamed() {
        assertEquals(ExitCode.USAGE, run("classify").exitCode());
        assertTrue(run("classify").err().contains("train, evaluate or predict"));
        assertTrue(run("classify", "train", "--data", "x", "--model", "y", "--out", "z").err().contains("--method"));
        CommandLineRun none = run("classify", "evaluate", "--run", folder);
        assertEquals(ExitCode.FAILED, none.exitCode());
        assertTrue(none.err().contains("found no run.json"), none.err());
        assertEquals(ExitCode.USAGE, run("classify", "predict", "--run", folder).exitCode());
        assertEquals(ExitCode.USAGE, run("classify", "predict", "--run", folder, "--top", "0", "x.png").exitCode());
    }
}
