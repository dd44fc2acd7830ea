package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.TextEncoder;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.FilterAtoms;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Generation with adapters that add tokens or adapt the text encoder.
class PromptsWithAdaptersTest {
    private static DiffusionModel model;
    private static Engine onnx;
    private final List<int[]> encoded = new ArrayList<>();
    private DiffusionPipeline pipeline;

    @BeforeAll
    static void open(@TempDir Path folder) throws Exception {
        model = TinyModel.make(folder.resolve("model"), "sd1");
        onnx = OnnxEngine.open(model, Device.CPU, 1);
    }

    @AfterAll
    static void close() {
        onnx.close();
    }

    /// An engine that records what it encodes.
    @BeforeEach
    void listen() throws Exception {
        TextEncoder recording = (ids, clipSkip, adapters) -> {
            encoded.add(ids[0]);
            return onnx.textEncoder().encode(ids, clipSkip, adapters);
        };
        pipeline = DiffusionPipeline.of(model,
                new Engine(recording, onnx.noisePredictor(), onnx.autoencoder(), onnx.clipEncoders()));
    }

    private static WeightedAdapter rows(String name, String word, int count, double adapterWeight) {
        return new WeightedAdapter(
                adapter(name, new TextAdaptersTest.Rows(count), Optional.of(new Adapter.EmbeddingToken(word, count))),
                adapterWeight);
    }

    private static Adapter adapter(String name, Adaptation form, Optional<Adapter.EmbeddingToken> placeholder) {
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.trainableLayers()) {
            form.parameterShapes(layer).forEach((slot, shape) -> {
                float[] parameters = new CounterRng(1, name + layer.name() + slot).normals((int) shape.elements());
                for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.3f;
                values.put(layer.name() + "." + slot, new Tensor(shape, parameters));
            });
        }
        return new Adapter(name, "hash of " + name, form, values, placeholder);
    }

    private RgbImage photo(String prompt, List<WeightedAdapter> adapters) throws Failure {
        Generation.GenerationSettings settings = Generation.GenerationSettings
                .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64);
        return pipeline
                .generate(new Generation(new Generation.PromptPair(prompt, ""), settings, 1, adapters),
                        StepListener.none())
                .orElseThrow();
    }

    @Test
    void embeddingTokenChangesTheImageOnlyWithItsAdapter() throws Exception {
        RgbImage plain = photo("a sks car", List.of());
        assertFalse(Arrays.equals(plain.argb(), photo("a sks car", List.of(rows("one", "sks", 1, 1))).argb()));
        assertArrayEquals(plain.argb(), photo("a sks car", List.of()).argb());
        assertArrayEquals(photo("a car", List.of()).argb(),
                photo("a car", List.of(rows("one", "sks", 1, 1))).argb(),
                "unused rows change nothing");
    }

    @Test
    void tokenIdsOfSeveralAdaptersAreConsecutive() throws Exception {
        int next = model.textEncoder().vocabularySize();
        List<WeightedAdapter> adapters = List.of(rows("one", "sks", 2, 1), rows("two", "qwe", 1, 0.5));
        int[] ids = pipeline.promptEncoder().tokenizer(adapters).encode("qwe, SKS");
        assertArrayEquals(new int[] {next + 2}, Arrays.copyOfRange(ids, 1, 2));
        assertArrayEquals(new int[] {next, next + 1}, Arrays.copyOfRange(ids, ids.length - 3, ids.length - 1));
        photo("qwe sks", adapters);
        assertTrue(encoded.stream().anyMatch(sent -> sent[1] == next + 2 && sent[2] == next && sent[3] == next + 1));
    }

    @Test
    void rejectsTwoAdaptersWithTheSameTriggerWord() {
        List<WeightedAdapter> adapters = List.of(rows("boat", "sks", 1, 1), rows("owl", "SKS", 1, 1));
        String message = assertThrows(Failure.Incompatible.class, () -> photo("a sks", adapters)).getMessage();
        assertTrue(message.contains("boat") && message.contains("owl") && message.contains("SKS"), message);
    }

    @Test
    void promptsAreEncodedAgainOnlyIfTheTextEncoderChanges() throws Exception {
        photo("a sks car", List.of());
        assertEquals(2, encoded.size(), "the prompt and the negative one");
        photo("a sks car", List.of(new WeightedAdapter(adapter("atoms", new FilterAtoms(9), Optional.empty()), 1)));
        photo("a sks car", List.of(new WeightedAdapter(adapter("atoms", new FilterAtoms(9), Optional.empty()), 0.5)));
        assertEquals(2, encoded.size(), "an adapter of the UNet");
        photo("a sks car", List.of(rows("one", "sks", 1, 1)));
        assertEquals(4, encoded.size());
        photo("a sks car", List.of(rows("one", "sks", 1, 1),
                new WeightedAdapter(adapter("atoms", new FilterAtoms(9), Optional.empty()), 1)));
        assertEquals(4, encoded.size(), "with an adapter of the UNet");
        photo("a sks car", List.of(rows("one", "sks", 1, 0.5)));
        assertEquals(6, encoded.size(), "at another adapter weight");
        photo("a sks car", List.of(rows("two", "sks", 1, 1)));
        assertEquals(8, encoded.size(), "with other parameters");
    }
}
