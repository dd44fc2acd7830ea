package atomstudio.tuning.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Files of other programs with one tensor that is wrong: read or rejected with the file's name, as an adapter and as
/// one whose training goes on.
class WrongTensorsTest {
    private static final Path FOREIGN = Path.of("src/test/resources/goldens/foreign");
    private static final Map<String, UnaryOperator<Tensor>> CHANGES = Map.of(
            "NaN", tensor -> filled(tensor.shape(), Float.NaN),
            "infinity", tensor -> filled(tensor.shape(), Float.NEGATIVE_INFINITY),
            "scalar", _ -> Tensor.zeros(Shape.of()),
            "no rows", tensor -> Tensor.zeros(
                    tensor.shape().rank() == 0 ? Shape.of(0) : tensor.shape().with(0, 0)),
            "no columns", tensor -> Tensor.zeros(
                    tensor.shape().rank() == 0 ? Shape.of(0, 0) : tensor.shape().with(tensor.shape().rank() - 1, 0)),
            "one row more", tensor -> Tensor.zeros(
                    tensor.shape().rank() == 0 ? Shape.of(2) : tensor.shape().with(0, tensor.shape().size(0) + 1)),
            "vector", tensor -> tensor.reshape(Shape.of(tensor.shape().elements())),
            "five axes", tensor -> tensor.reshape(Shape.of(1, 1, 1, 1, tensor.shape().elements())),
            "zeros", tensor -> Tensor.zeros(tensor.shape()),
            "huge", tensor -> filled(tensor.shape(), 1e30f));
    @TempDir
    Path folder;
    private static DiffusionModel model;

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
    }

    private static Tensor filled(Shape shape, float value) {
        return Tensor.filled(shape, value);
    }

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(FOREIGN)) {
            return files.filter(file -> file.toString().matches(".*(?<!expected|probed)\\.safetensors"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void wrongTensorsAreReadOrRejected(Path golden) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>();
        Map<String, String> metadata;
        try (SafetensorsFile file = SafetensorsFile.open(golden)) {
            for (String name : file.tensors().keySet()) tensors.put(name, file.read(name));
            metadata = file.metadata();
        }
        Path config = golden.resolveSibling("adapter_config.json");
        if (Files.exists(config)) Files.copy(config, folder.resolve("adapter_config.json"));
        Path file = folder.resolve("adapter_model.safetensors");
        for (String name : new TreeSet<>(tensors.keySet()).stream().limit(3).toList()) {
            for (Map.Entry<String, UnaryOperator<Tensor>> change : CHANGES.entrySet()) {
                Map<String, Tensor> changed = new HashMap<>(tensors);
                changed.put(name, change.getValue().apply(tensors.get(name)));
                requireReadOrRejected(name + ": " + change.getKey(), file, changed, metadata);
            }
            Map<String, Tensor> without = new HashMap<>(tensors);
            without.remove(name);
            requireReadOrRejected(name + " is missing", file, without, metadata);
        }
    }

    private void requireReadOrRejected(String what, Path file, Map<String, Tensor> tensors,
            Map<String, String> metadata) throws Exception {
        SafetensorsWriter.write(file, tensors, metadata);
        try {
            for (AdapterSource.NamedAdapter found : AdapterSource.read(file)) {
                found.source().requireFits(model);
                requireShapes(what, found.source().toAdapter(found.name(), model));
                found.source().toAttachment();
            }
        } catch (Failure rejected) {
            requireNamed(what, file, rejected);
        } catch (RuntimeException e) {
            throw new AssertionError(what, e);
        }
        try {
            AdapterFile trained = TrainableAdapter.read(file, model);
            requireShapes(what, trained.toAdapter("trained", model));
            assertTrue(trained.values().values().stream().allMatch(Tensor::isFinite), what);
        } catch (Failure rejected) {
            requireNamed(what, file, rejected);
        } catch (RuntimeException e) {
            throw new AssertionError(what + ", trained", e);
        }
    }

    private static void requireShapes(String what, Adapter adapter) {
        for (Layer layer : model.trainableLayers())
            adapter.adaptation()
                    .parameterShapes(layer)
                    .forEach((parameter, shape) -> assertEquals(shape,
                            adapter.parameters().get(layer.name() + "." + parameter).shape(), what));
    }

    private static void requireNamed(String what, Path file, Failure rejected) {
        String message = String.valueOf(rejected.getMessage());
        assertTrue(message.startsWith(file.toString()) || message.startsWith("the embedding \""),
                what + ": " + message);
    }

    /// Equal values do not make it one adapter.
    @Test
    void twoSpellingsOfOneParameterAreRejected() throws Exception {
        String layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q";
        Tensor down = filled(Shape.of(2, 128), 1), up = filled(Shape.of(128, 2), 1);
        for (Tensor other : List.of(down, down.scaled(2))) {
            Path file = folder.resolve("spellings.safetensors");
            SafetensorsWriter.write(file, Map.of(layer + ".lora_down.weight", down, layer + ".lora_up.weight", up,
                    layer + ".lora_A.weight", other), Map.of());
            String message = assertThrows(Failure.Unreadable.class, () -> AdapterSource.read(file)).getMessage();
            assertEquals(file + ": " + layer + ".lora_A.weight and " + layer + ".lora_down.weight are the same "
                    + "parameter of one layer; the file contains more than one adapter", message);
        }
    }

    /// Two adapters with other key names in one file.
    @Test
    void mixedDialectsOfOneLayerAreRejected() throws Exception {
        String kohya = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q";
        String path = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";
        Tensor down = filled(Shape.of(2, 128), 1), up = filled(Shape.of(128, 2), 1);
        for (String other : List.of("unet." + path, "base_model.model." + path,
                "diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q",
                "input_blocks.3.1.transformer_blocks.0.attn1.to_q", "lycoris_" + path.replace('.', '_'))) {
            Path file = folder.resolve("mixed.safetensors");
            SafetensorsWriter.write(file, Map.of(kohya + ".lora_down.weight", down, kohya + ".lora_up.weight", up,
                    other + ".lora_A.weight", other.startsWith("unet.") ? down : down.scaled(2),
                    other + ".lora_B.weight", up), Map.of());
            for (boolean trained : new boolean[] {false, true}) {
                try {
                    if (trained) TrainableAdapter.read(file, model);
                    else AdapterSource.read(file).getFirst().source().requireFits(model);
                    throw new AssertionError(other + " was read");
                } catch (Failure rejected) {
                    requireNamed(other, file, rejected);
                    assertTrue(rejected.getMessage().contains("are the same parameter of one layer"),
                            rejected.getMessage());
                }
            }
        }
    }
}
