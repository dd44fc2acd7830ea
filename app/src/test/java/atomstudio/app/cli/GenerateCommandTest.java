package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.RgbImage;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GenerateCommandTest {
    @TempDir
    Path folder;

    @Test
    void imageOfABatchEqualsASingleImage() throws Exception {
        CommandLineRun two = run("--prompt", "a red apple", "--steps", 2, "--seed", 7, "--count", 2, "--out",
                folder.resolve("two.png"));
        CommandLineRun alone = run("--prompt", "a red apple", "--steps", 2, "--seed", 8, "--out",
                folder.resolve("alone.png"));
        assertEquals(ExitCode.SUCCESS, two.exitCode(), two::err);
        assertEquals(ExitCode.SUCCESS, alone.exitCode(), alone::err);
        assertArrayEquals(Files.readAllBytes(folder.resolve("alone.png")),
                Files.readAllBytes(folder.resolve("two-1.png")));
        assertFalse(Arrays.equals(Files.readAllBytes(folder.resolve("two-0.png")),
                Files.readAllBytes(folder.resolve("two-1.png"))));
    }

    @Test
    void batchSizeDoesNotChangeTheImages() throws Exception {
        for (int size : new int[] {1, 2, 3}) {
            CommandLineRun run = run("--prompt", "a red apple", "--steps", 2, "--seed", 7, "--count", 3, "--width", 64,
                    "--height", 64, "--sampler", "euler-a", "--batch-size", size, "--out",
                    folder.resolve("size" + size + ".png"));
            assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
            assertTrue(run.out().contains("seed 7") && run.out().contains("seed 9"), run.out());
        }
        for (int k = 0; k < 3; k++) {
            RgbImage alone = ImageFiles.read(folder.resolve("size1-" + k + ".png"));
            assertEquals(alone, ImageFiles.read(folder.resolve("size2-" + k + ".png")));
            assertEquals(alone, ImageFiles.read(folder.resolve("size3-" + k + ".png")));
        }
        CommandLineRun none = run("--prompt", "a", "--batch-size", 0, "--out", folder.resolve("none.png"));
        assertEquals(ExitCode.USAGE, none.exitCode());
        assertTrue(none.err().contains("--batch-size"), none.err());
    }

    @Test
    void imagesStoreTheirGenerationParameters() throws Exception {
        Path file = folder.resolve("image.png");
        CommandLineRun run = run("--prompt", "a cat, sitting", "--negative-prompt", "blue", "--steps", 2, "--seed", 5,
                "--sampler", "euler", "--schedule", "karras", "--cfg-scale", 3.5, "--width", 64, "--height", 72,
                "--json", "--out", file);
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        Infotext text = Infotext.parse(PngText.read(file).get("parameters"));
        assertEquals("a cat, sitting", text.prompt());
        assertEquals("blue", text.negativePrompt());
        assertEquals("Euler", text.settings().get("Sampler"));
        assertEquals("Karras", text.settings().get("Schedule type"));
        assertEquals("5", text.settings().get("Seed"));
        assertEquals("64x72", text.settings().get("Size"));
        JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals(5, json.getAsJsonArray("pictures").get(0).getAsJsonObject().get("seed").getAsLong());
    }

    @Test
    void accepts64BitSeeds() throws Exception {
        Path file = folder.resolve("large.png");
        CommandLineRun run = run("--prompt", "a cat", "--steps", 1, "--seed", "18446744073709551615", "--count", 2,
                "--width", 64, "--height", 64, "--json", "--out", file);
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals("18446744073709551615",
                json.getAsJsonArray("pictures").get(0).getAsJsonObject().get("seed").getAsString());
        assertEquals("0", json.getAsJsonArray("pictures").get(1).getAsJsonObject().get("seed").getAsString());
        assertEquals("18446744073709551615",
                Infotext.parse(PngText.read(folder.resolve("large-0.png")).get("parameters")).settings().get("Seed"));
        CommandLineRun beyond = run("--prompt", "a cat", "--seed", "18446744073709551616", "--out", file);
        assertTrue(beyond.err().contains("18446744073709551615"), beyond.err());
    }

    @Test
    void acceptsAnEmptyPromptAndPrintsARandomSeed() throws Exception {
        CommandLineRun run = run("--prompt", "", "--steps", 1, "--guidance", 1, "--out", folder.resolve("empty.png"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        assertTrue(run.out().matches("(?s).*empty\\.png  seed \\d+\\s*"), run.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"@arguments", "@@twice", "--out", "--overwrite", "-", "tune", "\"quoted\"",
            "${sys:user.home}", "a=b"})
    void promptMayBeAnyText(String prompt) throws Exception {
        Files.writeString(folder.resolve("arguments"), "--prompt=another --seed=1");
        String given = prompt.equals("@arguments") ? "@" + folder.resolve("arguments") : prompt;
        Path file = folder.resolve("asis.png");
        for (List<Object> form : List.<List<Object>>of(List.of("--prompt", given, "--negative-prompt", given),
                List.of("--prompt=" + given, "--negative-prompt=" + given))) {
            if (form.contains("--out") || form.contains("--overwrite")) {
                CommandLineRun refused = run(form.toArray());
                assertEquals(ExitCode.USAGE, refused.exitCode(), refused::out);
                assertTrue(refused.err().contains("write --prompt=" + given), refused::err);
                continue;
            }
            List<Object> arguments = new ArrayList<>(form);
            arguments.addAll(List.of("--steps", 1, "--seed", 5, "--overwrite", "--out", file));
            CommandLineRun run = run(arguments.toArray());
            assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
            assertEquals(given, Infotext.parse(PngText.read(file).get("parameters")).prompt());
            assertEquals(given, Infotext.parse(PngText.read(file).get("parameters")).negativePrompt());
        }
    }

    @Test
    void longPromptsAndWeightsHaveAnEffect() throws Exception {
        String start = "a cat ".repeat(40) + "and the last ";
        int[] words = pixels("words", start + "words"), things = pixels("things", start + "things"),
                emphasized = pixels("stressed", start + "(words:1.4)");
        assertFalse(Arrays.equals(words, things));
        assertFalse(Arrays.equals(words, emphasized));
    }

    private int[] pixels(String name, String prompt) throws Exception {
        CommandLineRun run = run("--prompt", prompt, "--negative-prompt", "blue", "--steps", 1, "--seed", 1, "--width",
                64,
                "--height", 64, "--out", folder.resolve(name + ".png"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        return ImageFiles.read(folder.resolve(name + ".png")).argb();
    }

    @Test
    void clipSkipChangesTheImageAndIsStored() throws Exception {
        CommandLineRun run = run("--prompt", "a cat", "--clip-skip", 2, "--steps", 1, "--seed", 1, "--out",
                folder.resolve("skipped.png"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        assertEquals("2",
                Infotext.parse(PngText.read(folder.resolve("skipped.png")).get("parameters"))
                        .settings()
                        .get("Clip skip"));
        assertEquals(ExitCode.SUCCESS,
                run("--prompt", "a cat", "--steps", 1, "--seed", 1, "--out", folder.resolve("plain.png")).exitCode());
        assertFalse(Arrays.equals(ImageFiles.read(folder.resolve("plain.png")).argb(),
                ImageFiles.read(folder.resolve("skipped.png")).argb()));
    }

    @Test
    void modelInOneFileWithoutVocabularyNamesTheFolderForIt() {
        CommandLineRun run = CommandLineRun.of(folder, "generate", "--model", Shared.own("goldens/files/sd1.ckpt"),
                "--prompt", "a", "--out", folder.resolve("a.png"));
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("was inferred as epsilon") && run.err().contains("bpe_simple_vocab_16e6.txt.gz")
                && run.err().contains(folder.resolve("clip-vocabulary").toString()), run.err());
    }

    @Test
    void doesNotOverwriteExistingImages() throws Exception {
        Path second = folder.resolve("p-1.png");
        Files.writeString(second, "mine");
        CommandLineRun run = run("--prompt", "x", "--count", 2, "--steps", 1, "--out", folder.resolve("p.png"));
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("p-1.png: already exists"), run.err());
        assertEquals("mine", Files.readString(second));
        assertFalse(Files.exists(folder.resolve("p-0.png")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "--sampler foo|2|expected one of euler, euler-a",
            "--schedule foo|2|karras, exponential",
            "--prediction foo|2|expected one of epsilon, v, sample",
            "--sampler pndm --schedule karras|1|karras",
            "--sampler heun --eta 1|1|eta: not supported by sampler heun",
            "--eta 2|2|--eta: expected 0 to 1",
            "--guidance-rescale 2|2|--guidance-rescale: expected 0 to 1",
            "--width 100|1|the nearest valid size is 104x128",
            "--safety-checker perhaps|2|expected on or off, found",
            "--clip-skip 0|2|--clip-skip: expected 1 to",
            "--clip-skip 99|2|--clip-skip: expected 1 to",
            "--negative-prompt (a:1.2.3)|1|expected a number as the weight",
            "--steps 0|2|--steps: expected 1 to",
            "--count 0|2|--count: expected 1",
            "--cfg-scale NaN|2|--cfg-scale: expected 0 to 100, found NaN",
            "--cfg-scale 101|2|--cfg-scale: expected 0 to 100, found 101",
            "--height 5000|2|expected 8 to 4096, found 5000",
            "--seed many|2|--seed",
            "--adapter nothing.safetensors|1|nothing.safetensors",
            "--denoising-strength 0.5|2|expected --image or --hires-scale",
            "--hires-scale 1|2|--hires-scale: expected above 1 to 4, found 1",
            "--hires-scale 2 --denoising-strength 1.5|2|--denoising-strength: expected above 0 to 1",
            "--hires-scale 2 --denoising-strength 0.01|1|leaves no step to run",
            "--mask m.png|2|expected an image with --image",
            "--image nothing.png|1|nothing.png",
            "--preview nothing.safetensors|1|nothing.safetensors",
            "--device cuda|1|mvn -P cuda"})
    void rejectsInvalidOptionsBeforeGenerating(String options, int code, String message) {
        List<Object> arguments = new ArrayList<>(List.of("--prompt", "x", "--out", folder.resolve("no.png")));
        arguments.addAll(List.of((Object[]) options.split(" ")));
        CommandLineRun run = run(arguments.toArray());
        assertEquals(code, run.exitCode(), run::err);
        assertTrue(run.err().contains(message), run.err());
        assertFalse(Files.exists(folder.resolve("no.png")));
    }

    @Test
    void inpaintingKeepsThePixelsOutsideTheMask() throws Exception {
        Path given = Shared.own("goldens/from-pictures/picture.png");
        Path mask = Shared.own("goldens/from-pictures/mask.png");
        Path file = folder.resolve("within.png");
        CommandLineRun run = run("--prompt", "a red apple", "--image", given, "--mask", mask, "--denoising-strength",
                0.9,
                "--steps", 3, "--seed", 1, "--json", "--out", file);
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        RgbImage before = ImageFiles.read(given);
        RgbImage after = ImageFiles.read(file);
        RgbImage maskImage = ImageFiles.read(mask);
        int changed = 0;
        for (int i = 0; i < after.argb().length; i++) {
            if ((maskImage.argb()[i] & 0xFF) == 0) assertEquals(before.argb()[i], after.argb()[i]);
            else if (before.argb()[i] != after.argb()[i]) changed++;
        }
        assertTrue(changed > 1000, changed + " pixels changed");
        assertEquals(0.9, JsonParser.parseString(run.out()).getAsJsonObject().get("denoise").getAsDouble());
    }

    @Test
    void hiresFixEnlargesTheImage() throws Exception {
        CommandLineRun run = run("--prompt", "a red apple", "--hires-scale", 1.5, "--denoising-strength", 0.5,
                "--steps", 2, "--seed", 1,
                "--width", 64, "--height", 96, "--out", folder.resolve("large.png"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        RgbImage large = ImageFiles.read(folder.resolve("large.png"));
        assertEquals("96x144", large.width() + "x" + large.height());
    }

    @Test
    void previewIsDeletedAfterGenerating() {
        Path tiny = Shared.own("goldens/taesd/decoder.safetensors");
        CommandLineRun run = run("--prompt", "x", "--preview", tiny, "--width", 64, "--height", 64, "--steps", 3,
                "--out", folder.resolve("seen.png"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        assertTrue(Files.exists(folder.resolve("seen.png")));
        assertFalse(Files.exists(folder.resolve("seen-preview.png")));
    }

    @Test
    void notesThatTheImageIsCropped() {
        CommandLineRun run = run("--prompt", "x", "--image", Shared.own("goldens/from-pictures/picture.png"), "--width",
                64, "--height", 96, "--steps", 2, "--out", folder.resolve("cropped.png"));
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        assertTrue(run.err().contains("picture.png is 128x128: its centre is scaled to fill 64x96"), run.err());
    }

    @Test
    void earlierOptionNamesAndValuesStillWork() throws Exception {
        Path today = folder.resolve("today.png"), earlier = folder.resolve("earlier.png");
        List<Object> common = List.of("--prompt", "a red apple", "--steps", 2, "--seed", 1, "--width", 64, "--height",
                64);
        List<Object> todays = new ArrayList<>(common), earliers = new ArrayList<>(common);
        todays.addAll(List.of("--negative-prompt", "blue", "--hires-scale", 1.5, "--denoising-strength=0.5",
                "--cfg-scale", 3, "--safety-checker", "off", "--out", today));
        earliers.addAll(
                List.of("--negative", "blue", "--hires", 1.5, "--denoise=0.5", "--guidance", 3, "--safety", "off",
                        "--schedule", "model", "--out", earlier));
        for (List<Object> arguments : List.of(todays, earliers)) {
            CommandLineRun run = run(arguments.toArray());
            assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        }
        assertArrayEquals(Files.readAllBytes(today), Files.readAllBytes(earlier));
    }

    private CommandLineRun run(Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = "generate";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return CommandLineRun.of(folder.resolve("home"), all);
    }
}
