package atomstudio.tuning.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.TextualInversion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AdapterFileTest {
    @TempDir
    Path folder;

    static List<Layer> network() {
        return List.of(layer("conv_in", Layer.Kind.CONV, 8, 4, 3, 3), layer("attn.to_q", Layer.Kind.LINEAR, 8, 8),
                layer("attn.to_k", Layer.Kind.LINEAR, 8, 12),
                layer("attn.to_v", Layer.Kind.LINEAR, 8, 12), layer("ff.net.2", Layer.Kind.LINEAR, 8, 32),
                layer("proj", Layer.Kind.CONV, 8, 8, 1, 1),
                layer("conv_out", Layer.Kind.CONV, 4, 8, 3, 3), layer("norm", Layer.Kind.NORM, 8),
                layer(TextualInversion.TOKEN_EMBEDDING, Layer.Kind.EMBEDDING, 16, 8));
    }

    private static Layer layer(String name, Layer.Kind kind, long... weight) {
        return new Layer(Component.UNET, name, kind, new Shape(weight), Layer.Bias.PRESENT);
    }

    private static AdapterFile adapter(String method, int atoms) throws Failure {
        return adapter(MethodSettings.parse(method, Map.of("atoms", Integer.toString(atoms), "rank", "2")));
    }

    private static AdapterFile adapter(MethodSettings settings) {
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : network()) {
            settings.method()
                    .storedShapes(layer)
                    .forEach((name, shape) -> values.put(layer.name() + "." + name,
                            new Tensor(shape, new CounterRng(1, layer.name() + name).normals((int) shape.elements()))));
        }
        return new AdapterFile(settings, new BaseModel("Base", "aa11"), new Trigger("sks", "car"),
                new AdapterFile.TrainingSummary(12, 0.03, 5), AdaptedLayer.of(settings.method(), network()), values);
    }

    static Stream<MethodSettings> everyMethod() {
        // The default of BOFT, two factors of blocks of 4 or more, does not fit into 8 channels.
        Stream<MethodSettings> defaults = Stream.of(MethodName.values())
                .map(choice -> choice == MethodName.BOFT
                        ? MethodSettings.of(choice).with(MethodSetting.BLOCK_SIZE, "2")
                        : MethodSettings.of(choice));
        Stream<MethodSettings> customized = Stream.of(
                MethodSettings.of(MethodName.ATOMS).with(MethodSetting.ATOMS, "4").with(MethodSetting.LAYERS, "conv"),
                MethodSettings.of(MethodName.LORA).with(MethodSetting.RANK, "2").with(MethodSetting.ALPHA, "1"),
                MethodSettings.of(MethodName.LOKR).with(MethodSetting.LAYERS, "conv,linear"),
                MethodSettings.of(MethodName.ATOMS).with(MethodSetting.COMBINE_WITH, "textual-inversion"),
                MethodSettings.of(MethodName.OFT).with(MethodSetting.BLOCK_SIZE, "4"),
                MethodSettings.of(MethodName.OFT).with(MethodSetting.SIDE, "output"),
                MethodSettings.of(MethodName.ATOMS_AND_CHANNELS)
                        .with(MethodSetting.CODING, "sparse")
                        .with(MethodSetting.ATOMS, "12"));
        return Stream.concat(defaults, customized);
    }

    @ParameterizedTest @MethodSource("everyMethod")
    void roundTrips(MethodSettings settings) throws Exception {
        AdapterFile adapter = adapter(settings);
        assertFalse(adapter.values().isEmpty());
        adapter.write(folder.resolve("a.safetensors"));
        AdapterFile read = AdapterFile.read(folder.resolve("a.safetensors"));
        assertEquals(adapter.method(), read.method());
        assertEquals(adapter.base(), read.base());
        assertEquals(adapter.trigger(), read.trigger());
        assertEquals(adapter.training(), read.training());
        assertEquals(adapter.values(), read.values());
        assertEquals(adapter.layers(), read.layers(), "in the network's order");
        read.write(folder.resolve("b.safetensors"));
        assertArrayEquals(Files.readAllBytes(folder.resolve("a.safetensors")),
                Files.readAllBytes(folder.resolve("b.safetensors")), "equal adapters give equal bytes");
    }

    @Test
    void parametersOfEqualNameAndShapeAreStacked() throws Exception {
        adapter("atoms", 9).write(folder.resolve("a.safetensors"));
        try (SafetensorsFile tensors = SafetensorsFile.open(folder.resolve("a.safetensors"))) {
            assertEquals(List.of("atoms.M"), List.copyOf(tensors.tensors().keySet()));
            assertEquals(Shape.of(2, 9, 9), tensors.info("atoms.M").shape());
        }
        adapter("lora", 9).write(folder.resolve("l.safetensors"));
        try (SafetensorsFile tensors = SafetensorsFile.open(folder.resolve("l.safetensors"))) {
            assertEquals(java.util.Set.of("lora.A.2x8", "lora.A.2x12", "lora.B"), tensors.tensors().keySet());
        }
    }

    @Test
    void hashIsThatOfTheBytesAfterTheHeader() throws Exception {
        AdapterFile adapter = adapter("atoms+channels", 9);
        adapter.write(folder.resolve("a.safetensors"));
        byte[] bytes = Files.readAllBytes(folder.resolve("a.safetensors"));
        int header = 8 + (int) java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] digest = java.security.MessageDigest.getInstance("SHA-256")
                .digest(java.util.Arrays.copyOfRange(bytes, header, bytes.length));
        assertEquals(java.util.HexFormat.of().formatHex(digest), AdapterFormat.hash(adapter));
    }

    @Test
    void fitsItsBaseAndWarnsAboutOtherWeights() throws Exception {
        AdapterFile adapter = adapter("atoms+channels", 9);
        assertEquals(Optional.empty(), adapter.compatibilityWarning("Base", network(), Optional.of("aa11")));
        assertEquals(Optional.empty(), adapter.compatibilityWarning("Base", network(), Optional.empty()),
                "no warning while the hash is unknown");
        String warning = adapter.compatibilityWarning("Relative", network(), Optional.of("bb22")).orElseThrow();
        assertTrue(warning.contains("Base") && warning.contains("Relative") && warning.contains("bb22"), warning);
    }

    @Test
    void rejectsOtherLayersNamingEach() throws Exception {
        List<Layer> other = new ArrayList<>(network());
        other.set(0, layer("conv_in", Layer.Kind.CONV, 16, 4, 3, 3));
        other.removeIf(layer -> layer.name().equals("proj"));
        other.add(layer("more", Layer.Kind.LINEAR, 8, 8));
        Failure rejected = assertThrows(Failure.Incompatible.class,
                () -> adapter("atoms+channels", 9).compatibilityWarning("Other", other, Optional.of("aa11")));
        for (String part : List.of("conv_in: expected a weight of (8,4,3,3), the model's has (16,4,3,3)",
                "proj: the model has no such layer", "more: trained by atoms+channels, missing in the adapter", "Base",
                "Other")) {
            assertTrue(rejected.getMessage().contains(part), rejected.getMessage());
        }
    }

    @Test
    void rejectsTruncatedFiles() throws Exception {
        Path file = folder.resolve("a.safetensors");
        adapter("lora", 9).write(file);
        byte[] bytes = Files.readAllBytes(file);
        for (int length = 0; length < bytes.length; length += 97) {
            Files.write(file, java.util.Arrays.copyOf(bytes, length));
            Failure rejected = assertThrows(Failure.Unreadable.class, () -> AdapterFile.read(file), "cut at " + length);
            assertTrue(rejected.getMessage().contains("a.safetensors"));
        }
    }

    @Test
    void rejectsOtherFormatsAndVersions() throws Exception {
        Path file = folder.resolve("a.safetensors");
        SafetensorsWriter.write(file, Map.of("x", Tensor.zeros(Shape.of(2))), Map.of());
        assertTrue(assertThrows(Failure.Unreadable.class, () -> AdapterFile.read(file)).getMessage()
                .contains("another program"));
        damage(file, metadata -> metadata.put("version", "2"));
        assertTrue(
                assertThrows(Failure.Incompatible.class, () -> AdapterFile.read(file)).getMessage().contains("update"));
        Files.delete(file);
        assertThrows(Failure.Unreadable.class, () -> AdapterFile.read(file));
    }

    @Test
    void rejectsInvalidMetadata() throws Exception {
        Path file = folder.resolve("a.safetensors");
        List<java.util.function.Consumer<Map<String, String>>> damages = List.of(
                metadata -> metadata.remove("token"), metadata -> metadata.put("steps", "many"),
                metadata -> metadata.put("layers", "["), metadata -> metadata.put("layers", "{}"),
                metadata -> metadata.put("layers", "{\"conv_in\":[8,4,3,3]}"),
                metadata -> metadata.put("layers", "{\"conv_in\":[-8,4,3,3],\"conv_out\":[1]}"),
                metadata -> metadata.put("layers", "{\"conv_in\":7}"),
                metadata -> metadata.put("stacks", "{\"atoms.M\":[0]}"),
                metadata -> metadata.put("stacks", "{\"atoms.M\":[0,0]}"),
                metadata -> metadata.put("stacks", "{\"atoms.M\":[0,2]}"),
                metadata -> metadata.put("stacks", "{\"atoms.M\":[-1,0]}"), metadata -> metadata.put("stacks", "{}"),
                metadata -> metadata.put("stacks", "{\"other.M\":[0,1]}"), metadata -> metadata.remove("stacks"));
        for (var damage : damages) {
            damage(file, damage);
            Failure rejected = assertThrows(Failure.Unreadable.class, () -> AdapterFile.read(file));
            assertTrue(rejected.getMessage().contains("a.safetensors") && rejected.getMessage().contains("damaged"),
                    rejected.getMessage());
        }
        damage(file, metadata -> metadata.put("method", "sorcery"));
        assertThrows(Failure.Incompatible.class, () -> AdapterFile.read(file));
    }

    @Test
    void predictsTheFileSize() throws Exception {
        for (MethodName choice : MethodName.values()) {
            MethodSettings settings = MethodSettings.of(choice);
            AdapterFile adapter = adapter(settings);
            adapter.write(folder.resolve("a.safetensors"));
            assertEquals(Files.size(folder.resolve("a.safetensors")), adapter.fileSize());
            assertEquals(adapter.fileSize(), AdapterFile.predictedFileSize(settings, "Base", network()), 200.0,
                    choice + ": except for the lengths of the trigger words");
        }
    }

    @Test
    void rejectsNaN() throws Exception {
        AdapterFile adapter = adapter("atoms", 9);
        adapter.values().get("conv_in.M").data()[3] = Float.NaN;
        adapter.write(folder.resolve("a.safetensors"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> AdapterFile.read(folder.resolve("a.safetensors")))
                .getMessage()
                .contains("NaN"));
    }

    private static void damage(Path file, java.util.function.Consumer<Map<String, String>> change) throws Exception {
        adapter("atoms", 9).write(file);
        Map<String, Tensor> tensors = new HashMap<>();
        Map<String, String> metadata;
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            for (String name : read.tensors().keySet()) tensors.put(name, read.read(name));
            metadata = new HashMap<>(read.metadata());
        }
        change.accept(metadata);
        SafetensorsWriter.write(file, tensors, metadata);
    }
}
