package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `convert`, `merge`, `extract` and `inspect --norms` on LoRA of the embedded model.
class AdapterToolsTest {
    private static final String LAYER = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q";
    private static final int WIDTH = 128;
    @TempDir
    Path folder;

    private static Map<String, Tensor> lora(int rank) {
        Map<String, Tensor> tensors = new HashMap<>();
        tensors.put(LAYER + ".lora_down.weight", Tensor.generate(Shape.of(rank, WIDTH), i -> Math.sin(1 + 7.3 * i)));
        tensors.put(LAYER + ".lora_up.weight", Tensor.generate(Shape.of(WIDTH, rank), i -> Math.cos(1 + 7.3 * i)));
        tensors.put(LAYER + ".alpha", Tensor.filled(Shape.of(), 1));
        return tensors;
    }

    private Path file(String name, Map<String, Tensor> tensors) throws Exception {
        Path file = folder.resolve(name + ".safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return file;
    }

    private CommandLineRun run(Object... arguments) {
        return CommandLineRun.of(folder, arguments);
    }

    @Test
    void convertsBetweenKeyNamesAndPrecisions() throws Exception {
        Path source = file("source", lora(2)), peft = folder.resolve("peft.safetensors");
        CommandLineRun converted = run("convert", source, "--format", "peft", "--precision", "half", "--out", peft);
        assertEquals(ExitCode.SUCCESS, converted.exitCode(), converted.err());
        try (SafetensorsFile file = SafetensorsFile.open(peft)) {
            String key = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.weight";
            assertEquals("F16", file.info(key).dtype().toString());
            assertEquals(0.5 * Math.cos(1), file.read(key).data()[0], 1e-3);
        }
        assertEquals(ExitCode.FAILED, run("convert", source, "--format", "peft", "--out", peft).exitCode());
        assertEquals(ExitCode.SUCCESS,
                run("convert", source, "--format", "peft", "--out", peft, "--overwrite").exitCode());
        assertEquals(ExitCode.USAGE, run("convert", source, "--out", peft).exitCode());
        assertEquals(ExitCode.USAGE,
                run("convert", source, "--format", "merged", "--out", folder.resolve("x")).exitCode());
    }

    @Test
    void mergedLoraHasTheSumOfTheRanksAndNorms() throws Exception {
        Path one = file("one", lora(2)), two = file("two", lora(3)), merged = folder.resolve("merged.safetensors");
        CommandLineRun made = run("merge", "--adapter", one + ":0.5", "--adapter", two, "--out", merged);
        assertEquals(ExitCode.SUCCESS, made.exitCode(), made.err());
        try (SafetensorsFile file = SafetensorsFile.open(merged)) {
            assertEquals(Shape.of(5, WIDTH), file.info(LAYER + ".lora_down.weight").shape());
        }
        Path nothing = folder.resolve("nothing.safetensors");
        assertEquals(ExitCode.SUCCESS, run("merge", "--add-difference", "--adapter", one, "--adapter", two + ":0.5",
                "--adapter", two, "--out", nothing).exitCode());
        double expected = norm(one), found = norm(nothing);
        assertEquals(expected, found, 1e-4 * expected);
        assertEquals(ExitCode.USAGE,
                run("merge", "--add-difference", "--adapter", one, "--adapter", two, "--out", merged).exitCode());
        assertEquals(ExitCode.USAGE, run("merge", "--adapter", one, "--out", merged).exitCode());
    }

    /// LoRA of rank 2 and a LoHa of a constant, whose rank is 1.
    @Test
    void sumOfTwoKindsIsLoraOfARankOrDifferences() throws Exception {
        Path lora = file("lora", lora(2)), loha = file("loha", loha()), sum = folder.resolve("sum.safetensors");
        CommandLineRun refused = run("merge", "--adapter", lora, "--adapter", loha, "--out", sum);
        assertEquals(ExitCode.FAILED, refused.exitCode());
        assertTrue(refused.err().contains("--rank R") && refused.err().contains("--format diff"), refused.err());
        assertFalse(Files.exists(sum));
        CommandLineRun made = run("merge", "--adapter", lora, "--adapter", loha + ":0.5", "--rank", 3, "--out", sum);
        assertEquals(ExitCode.SUCCESS, made.exitCode(), made.err());
        assertTrue(made.err().contains("error 0.0 %"), made.err());
        Path whole = folder.resolve("whole.safetensors");
        CommandLineRun differences = run("merge", "--adapter", lora, "--adapter", loha + ":0.5", "--format", "diff",
                "--out", whole);
        assertEquals(ExitCode.SUCCESS, differences.exitCode(), differences.err());
        double expected = 0.5 * 4;
        for (int r = 0; r < 2; r++) expected += 0.5 * Math.cos(1 + 7.3 * r) * Math.sin(1 + 7.3 * r * WIDTH);
        try (SafetensorsFile file = SafetensorsFile.open(sum); SafetensorsFile diff = SafetensorsFile.open(whole)) {
            Tensor down = file.read(LAYER + ".lora_down.weight"), up = file.read(LAYER + ".lora_up.weight");
            assertEquals(Shape.of(3, WIDTH), down.shape());
            double found = 0;
            for (int r = 0; r < 3; r++) found += up.data()[r] * down.data()[r * WIDTH];
            assertEquals(expected, found, 1e-2);
            assertEquals(expected, diff.read(LAYER + ".diff").data()[0], 2e-3);
        }
        assertEquals(ExitCode.USAGE, run("merge", "--adapter", lora, "--adapter", loha, "--rank", 3, "--format", "peft",
                "--out", folder.resolve("x")).exitCode());
        assertEquals(ExitCode.USAGE, run("merge", "--adapter", lora, "--adapter", loha, "--rank", 0, "--out",
                folder.resolve("x")).exitCode());
    }

    private static Map<String, Tensor> loha() {
        Map<String, Tensor> loha = new HashMap<>();
        for (String half : new String[] {"1", "2"}) {
            loha.put(LAYER + ".hada_w" + half + "_a", Tensor.filled(Shape.of(WIDTH, 2), 1));
            loha.put(LAYER + ".hada_w" + half + "_b", Tensor.filled(Shape.of(2, WIDTH), 1));
        }
        return loha;
    }

    private double norm(Path file) {
        CommandLineRun inspected = run("inspect", file, "--norms", "--json");
        assertEquals(ExitCode.SUCCESS, inspected.exitCode(), inspected.err());
        JsonObject json = JsonParser.parseString(inspected.out()).getAsJsonObject();
        assertEquals(1, json.getAsJsonArray("norms").size());
        JsonObject layer = json.getAsJsonArray("norms").get(0).getAsJsonObject();
        assertTrue(layer.get("relative").getAsDouble() > 0);
        return layer.get("norm").getAsDouble();
    }

    /// Every command names what is wrong, and nothing is written.
    @Test
    void damagedAdaptersAreNamed() throws Exception {
        Path good = file("good", lora(2));
        Map<String, Tensor> notFinite = lora(2), dialects = lora(2), spellings = lora(2);
        notFinite.get(LAYER + ".lora_up.weight").data()[0] = Float.NaN;
        String path = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";
        dialects.put(path + ".lora_A.weight", Tensor.filled(Shape.of(2, WIDTH), 3));
        dialects.put(path + ".lora_B.weight", Tensor.filled(Shape.of(WIDTH, 2), 3));
        spellings.put(LAYER + ".lora_A.weight", Tensor.filled(Shape.of(2, WIDTH), 3));
        assertRefused(good, file("nan", notFinite), "contains NaN");
        assertRefused(good, file("zero", lora(0)), "expected at least one value, found an empty tensor");
        assertRefused(good, file("dialects", dialects), "the same parameter of one layer");
        assertRefused(good, file("spellings", spellings), "the same parameter of one layer");
        assertRefused(good, duplicateKey(), "is in its header twice");
    }

    private void assertRefused(Path good, Path wrong, String reason) throws Exception {
        Path out = folder.resolve("out.safetensors");
        for (String format : new String[] {"--precision", "--format"})
            assertNamed(wrong, reason, "convert", wrong, format, format.equals("--format") ? "peft" : "half", "--out",
                    out);
        assertNamed(wrong, reason, "inspect", wrong);
        assertNotUsed(good, wrong, reason);
    }

    private void assertNotUsed(Path good, Path wrong, String reason) throws Exception {
        Path out = folder.resolve("out.safetensors"), image = folder.resolve("out.png");
        assertNamed(wrong, reason, "merge", "--adapter", good, "--adapter", wrong, "--out", out);
        assertNamed(wrong, reason, "generate", "--prompt", "a car", "--steps", 1, "--adapter", wrong, "--out", image);
    }

    private void assertNamed(Path wrong, String reason, Object... arguments) throws Exception {
        CommandLineRun refused = run(arguments);
        assertEquals(ExitCode.FAILED, refused.exitCode(), arguments[0] + ": " + refused.err());
        assertTrue(refused.err().contains(reason) && refused.err().contains(wrong.getFileName().toString()),
                arguments[0] + ": " + refused.err());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(), files.filter(file -> file.getFileName().toString().contains("out.")).toList(),
                    arguments[0].toString());
        }
    }

    private Path duplicateKey() throws Exception {
        Map<String, Tensor> tensors = lora(2);
        String spare = LAYER + ".lora_up.weighs";
        tensors.put(spare, tensors.get(LAYER + ".lora_up.weight"));
        Path file = file("duplicate", tensors);
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        Files.writeString(file, bytes.replace(spare, LAYER + ".lora_up.weight"), StandardCharsets.ISO_8859_1);
        return file;
    }

    /// Adapters that are sound but not for this model or this sum.
    @Test
    void adaptersThatDoNotFitAreNamed() throws Exception {
        Path good = file("good", lora(2)), out = folder.resolve("out.safetensors");
        Map<String, Tensor> other = new HashMap<>(), sdxl = lora(2);
        lora(2).forEach((key, value) -> other.put(key.replace("_attn1_to_q", "_attn9_to_q"), value));
        String second = "lora_te2_text_model_encoder_layers_0_mlp_fc1";
        sdxl.put(second + ".lora_down.weight", Tensor.filled(Shape.of(2, 1280), 1));
        sdxl.put(second + ".lora_up.weight", Tensor.filled(Shape.of(5120, 2), 1));
        assertNotUsed(good, file("other", other), "does not fit");
        assertNotUsed(good, file("sdxl", sdxl), "Stable Diffusion XL");
        assertNamed(file("loha", loha()), "expected method lora", "merge", "--adapter", good, "--adapter",
                folder.resolve("loha.safetensors"), "--out", out);
    }
}
