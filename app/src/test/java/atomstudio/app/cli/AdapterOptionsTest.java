package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.Infotext.AdapterEntry;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Adapters on the command line: several, of other programs, and stored in images.
class AdapterOptionsTest {
    @TempDir
    Path folder;

    private Path adapter(String name, MethodName choice, String token) throws Exception {
        DiffusionModel model = DiffusionModel.open(Assets.find().defaultModel());
        MethodSettings settings = MethodSettings.of(choice);
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.trainableLayers()) {
            settings.method().storedShapes(layer).forEach((slot, shape) -> {
                float[] numbers = new CounterRng(1, name + layer.name() + slot).normals((int) shape.elements());
                for (int i = 0; i < numbers.length; i++) numbers[i] *= 0.05f;
                values.put(layer.name() + "." + slot, new Tensor(shape, numbers));
            });
        }
        Path file = folder.resolve(name + ".safetensors");
        new AdapterFile(settings, new BaseModel(model.name(), "00"), new Trigger(token, "car"),
                new AdapterFile.TrainingSummary(1, 0.1, 0), AdaptedLayer.of(settings.method(), model.trainableLayers()),
                values).write(file);
        return file;
    }

    @Test
    void namesTheAdapterThatDoesNotFit() throws Exception {
        Path fits = adapter("fits", MethodName.BITFIT, "sks");
        Path other = folder.resolve("other.safetensors");
        SafetensorsWriter.write(other, Map.of("lora_unet_nowhere_at_all.lora_down.weight", Tensor.zeros(Shape.of(4, 8)),
                "lora_unet_nowhere_at_all.lora_up.weight", Tensor.zeros(Shape.of(8, 4))), Map.of());
        CommandLineRun run = CommandLineRun.of(folder.resolve("home"), "generate", "--prompt", "a sks car", "--out",
                folder.resolve("none.png"), "--adapter", fits, "--adapter", other);
        assertEquals(ExitCode.FAILED, run.exitCode(), run::err);
        assertTrue(run.err().contains(other.toString()) && !run.err().contains(fits.toString()), run::err);
    }

    @Test
    void listsTensorsThatMatchNoLayerAndAppliesTheRest() throws Exception {
        String layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
        DiffusionModel model = DiffusionModel.open(Assets.find().defaultModel());
        Shape weight = model.trainableLayers()
                .stream()
                .filter(each -> layer.endsWith(each.name().replace('.', '_')))
                .findFirst()
                .orElseThrow()
                .weightShape();
        Map<String, Tensor> tensors = new HashMap<>(
                Map.of(layer + ".lora_down.weight", Tensor.filled(Shape.of(1, weight.size(1)), 0.3f),
                        layer + ".lora_up.weight", Tensor.filled(Shape.of(weight.size(0), 1), 0.3f)));
        Path plain = folder.resolve("plain.safetensors"), with = folder.resolve("with.safetensors");
        SafetensorsWriter.write(plain, tensors, Map.of());
        tensors.put("global_step", Tensor.zeros(Shape.of(1)));
        SafetensorsWriter.write(with, tensors, Map.of());
        CommandLineRun expected = generate(folder.resolve("plain.png"), "--adapter", plain),
                noted = generate(folder.resolve("with.png"), "--adapter", with);
        assertFalse(expected.err().contains("has no layer for"), expected::err);
        assertTrue(
                noted.err()
                        .contains(with + ": " + model.name()
                                + " has no layer for a tensor of this adapter (ignored): global_step"),
                noted::err);
        assertEquals(ImageFiles.read(folder.resolve("plain.png")), ImageFiles.read(folder.resolve("with.png")));
    }

    private CommandLineRun generate(Path out, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("generate", "--prompt", "a sks car", "--steps", 1, "--seed", 1,
                "--width", 64, "--height", 64, "--out", out));
        arguments.addAll(List.of(more));
        CommandLineRun run = CommandLineRun.of(folder.resolve("home"), arguments.toArray());
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run::err);
        return run;
    }

    private static Infotext text(Path image) throws Exception {
        return Infotext.parse(PngText.read(image).get(Infotext.PNG_KEYWORD));
    }

    @Test
    void promptNamesAnAdapterOfTheHome() throws Exception {
        Path atoms = adapter("style", MethodName.ATOMS, "sks");
        CommandLineRun given = CommandLineRun.of(folder, "generate", "--prompt", "a sks car ", "--steps", 1, "--seed",
                1, "--width", 64, "--height", 64, "--out", folder.resolve("given.png"), "--adapter", atoms,
                "--adapter-weight", 0.5);
        Path home = Files.createDirectories(folder.resolve("adapters"));
        Files.copy(atoms, home.resolve("style.safetensors"));
        CommandLineRun named = CommandLineRun.of(folder, "generate", "--prompt", "a sks car <lora:style:0.5>",
                "--steps", 1, "--seed", 1, "--width", 64, "--height", 64, "--out", folder.resolve("named.png"));
        assertEquals(List.of(ExitCode.SUCCESS, ExitCode.SUCCESS), List.of(given.exitCode(), named.exitCode()),
                () -> given.err() + named.err());
        assertEquals(ImageFiles.read(folder.resolve("given.png")), ImageFiles.read(folder.resolve("named.png")));
        assertEquals(PngText.read(folder.resolve("given.png")), PngText.read(folder.resolve("named.png")),
                "and has equal generation parameters");
    }

    @Test
    void adapterWeightAppliesToTheAdapterBeforeIt() throws Exception {
        Path one = adapter("one", MethodName.ATOMS, "sks"), two = adapter("two", MethodName.ATOMS, "zwx");
        Path both = folder.resolve("both.png"), alone = folder.resolve("alone.png"),
                silent = folder.resolve("silent.png");
        CommandLineRun run = generate(both, "--adapter", one, "--adapter-weight", 0.5, "--adapter", two);
        generate(alone, "--adapter", one, "--adapter-weight", 0.5);
        generate(silent, "--adapter", one, "--adapter-weight", 0.5, "--adapter", two, "--adapter-weight", 0);
        assertEquals(List.of(new AdapterEntry("one", 0.5), new AdapterEntry("two", 1)), text(both).adapters());
        assertEquals(2, text(both).settings().get("Lora hashes").split(", ").length);
        assertTrue(run.err().contains("zwx") && !run.err().contains("lacks the trigger word \"sks\""), run.err());
        assertFalse(Arrays.equals(ImageFiles.read(both).argb(), ImageFiles.read(alone).argb()));
        assertArrayEquals(ImageFiles.read(silent).argb(), ImageFiles.read(alone).argb(),
                "weight 0 disables an adapter");
    }

    @Test
    void imageStoresItsSmallAdapter() throws Exception {
        Path made = folder.resolve("made.png"), again = folder.resolve("again.png");
        generate(made, "--adapter", adapter("car", MethodName.ATOMS, "sks"), "--adapter-weight", 0.7);
        generate(again, "--adapter", made);
        assertArrayEquals(Files.readAllBytes(made), Files.readAllBytes(again), "with its weight");
        CommandLineRun inspected = CommandLineRun.of(folder, "inspect", made, "--json");
        JsonObject car = JsonParser.parseString(inspected.out())
                .getAsJsonObject()
                .getAsJsonObject("adapters in it")
                .getAsJsonObject("car");
        assertEquals("atoms", car.get("method").getAsString());
        assertEquals("sks car", car.get("trigger").getAsString());
        assertEquals(0.7, car.get("weight").getAsDouble());
        assertEquals(0.7, car.get("strength").getAsDouble());
    }

    @Test
    void imageDoesNotStoreALargeAdapter() throws Exception {
        Path made = folder.resolve("made.png");
        generate(made, "--adapter", adapter("large", MethodName.LORA, "sks"));
        assertEquals(List.of(), PngAttachment.read(made));
        CommandLineRun run = CommandLineRun.of(folder.resolve("home"), "generate", "--prompt", "x", "--adapter", made,
                "--out", folder.resolve("no.png"));
        assertEquals(ExitCode.FAILED, run.exitCode());
        assertTrue(run.err().contains("expected an image that contains an adapter"), run.err());
    }

    @Test
    void embeddingOfAnotherProgramChangesPromptsWithItsWord() throws Exception {
        int width = DiffusionModel.open(Assets.find().defaultModel()).textEncoder().hiddenSize();
        Path file = folder.resolve("bad hands-5.safetensors");
        SafetensorsWriter.write(file,
                Map.of("emb_params", new Tensor(Shape.of(2, width), new CounterRng(1, "rows").normals(2 * width))),
                Map.of());
        Path plain = folder.resolve("plain.png"), with = folder.resolve("with.png"),
                silent = folder.resolve("silent.png");
        generate(plain, "--negative-prompt", "(Bad hands-5:1.2)");
        assertEquals(-1,
                generate(with, "--negative-prompt", "(Bad hands-5:1.2)", "--adapter", file).err().indexOf("Neither"));
        assertFalse(Arrays.equals(ImageFiles.read(plain).argb(), ImageFiles.read(with).argb()));
        assertTrue(text(with).settings().get("TI hashes").startsWith("bad hands-5: "), text(with).format());
        Path brackets = Files.copy(file, folder.resolve("blob (v2).safetensors"));
        assertEquals(-1,
                generate(folder.resolve("brackets.png"), "--negative-prompt", "a blob \\(v2\\)", "--adapter", brackets)
                        .err()
                        .indexOf("Neither"),
                "literal brackets are written with backslashes");
        assertTrue(generate(folder.resolve("emphasis.png"), "--negative-prompt", "a blob (v2)", "--adapter", brackets)
                .err()
                .contains("Neither"), "brackets without backslashes are emphasis");
        assertTrue(generate(silent, "--adapter", file).err().contains("Neither prompt contains \"bad hands-5\""));
        assertEquals(1, PngAttachment.read(with).size());
    }

    @Test
    void weightAfterAColonEqualsTheAdapterWeightOption() throws Exception {
        Path file = adapter("style", MethodName.ATOMS, "sks");
        Path colon = folder.resolve("colon.png"), option = folder.resolve("option.png"),
                earlier = folder.resolve("earlier.png");
        generate(colon, "--adapter", file + ":0.5");
        generate(option, "--adapter", file, "--adapter-weight", 0.5);
        generate(earlier, "--adapter", file, "--strength", 0.5);
        assertArrayEquals(Files.readAllBytes(colon), Files.readAllBytes(option));
        assertArrayEquals(Files.readAllBytes(option), Files.readAllBytes(earlier));
    }

    @Test
    void onlyANumberAfterTheLastColonIsAWeight() throws Exception {
        assertArgument("a.safetensors", OptionalDouble.empty(), "a.safetensors");
        assertArgument("a.safetensors", OptionalDouble.of(0.8), "a.safetensors:0.8");
        assertArgument("a:b", OptionalDouble.of(-1.5), "a:b:-1.5");
        for (String file : List.of("a:b.safetensors", "C:\\adapters\\a.safetensors", "a:", ":0.5", "a:NaN", "a:0.5f",
                "a:0x1p3"))
            assertArgument(file, OptionalDouble.empty(), file);
        assertArgument("C:\\adapters\\a.safetensors", OptionalDouble.of(2), "C:\\adapters\\a.safetensors:2");
        Path existing = Files.writeString(folder.resolve("run:12"), "");
        assertArgument(existing.toString(), OptionalDouble.empty(), existing.toString());
        assertArgument(existing.toString(), OptionalDouble.of(0.5), existing + ":0.5");
    }

    private static void assertArgument(String file, OptionalDouble weight, String argument) {
        assertEquals(new AdapterOptions.AdapterArgument(Path.of(file), weight),
                AdapterOptions.AdapterArgument.parse(argument));
    }

    @Test
    void rejectsInvalidAdapterWeights() {
        assertUsageError("--adapter", "--adapter-weight", 0.5);
        Path file = folder.resolve("a");
        assertUsageError("--adapter-weight: expected -10 to 10, found 10.5", "--adapter", file, "--adapter-weight",
                10.5);
        assertUsageError("--adapter-weight: expected -10 to 10, found 11.0", "--adapter", file + ":11");
        assertUsageError("expected one weight for " + file + ", found 0.5 after the colon and 0.7", "--adapter",
                file + ":0.5", "--adapter-weight", 0.7);
    }

    private void assertUsageError(String message, Object... options) {
        List<Object> arguments = new ArrayList<>(
                List.of("generate", "--prompt", "x", "--out", folder.resolve("no.png")));
        arguments.addAll(List.of(options));
        CommandLineRun run = CommandLineRun.of(folder, arguments.toArray());
        assertEquals(ExitCode.USAGE, run.exitCode(), run::err);
        assertTrue(run.err().contains(message), run.err());
    }
}
