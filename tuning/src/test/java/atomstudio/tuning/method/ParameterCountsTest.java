package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.UNet.BlockType;
import atomstudio.diffusion.net.UNet.Level;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Trainable parameters of every method: known counts for Stable Diffusion 1.5, and the papers' formulas on every
/// model.
class ParameterCountsTest {
    @Test
    void countsMatchKnownOnesOnStableDiffusion15() {
        List<Layer> layers = MethodTest.stableDiffusion15().layers();
        assertEquals(4_212, count(MethodName.ATOMS, layers));
        assertEquals(4_258, count(MethodSettings.of(MethodName.ATOMS).with(MethodSetting.LAYERS, "conv"), layers));
        assertEquals(1_872, count(MethodSettings.of(MethodName.ATOMS).with(MethodSetting.ATOMS, "4"), layers));
        assertEquals(2_187, count(MethodSettings.of(MethodName.ATOMS).with(MethodSetting.LAYERS, "up"), layers));
        long[][] overcomplete = {{9, 1, 505_368}, {6, 3, 1_010_736}, {9, 3, 1_516_104}, {9, 4, 2_021_472}};
        for (long[] row : overcomplete)
            assertEquals(row[2],
                    count(MethodSettings.of(MethodName.OVERCOMPLETE)
                            .with(MethodSetting.ATOMS, row[0] + "")
                            .with(MethodSetting.INNER_ATOMS, row[1] + ""), layers));
        assertEquals(58_880, count(MethodName.CHANNELS, layers));
        assertEquals(4_212 + 58_880, count(MethodName.ATOMS_AND_CHANNELS, layers));
        assertEquals(1_516_104 + 58_880, count(MethodName.OVERCOMPLETE_AND_CHANNELS, layers));
        long[][] lora = {{1, 199_296}, {4, 797_184}, {8, 1_594_368}, {16, 3_188_736}};
        for (long[] row : lora)
            assertEquals(row[1],
                    count(MethodSettings.of(MethodName.LORA).with(MethodSetting.RANK, row[0] + ""), layers));
        long[][] everywhere = {{1, 1_058_216}, {4, 4_232_864}, {8, 8_465_728}, {16, 16_931_456}};
        for (long[] row : everywhere)
            assertEquals(row[1],
                    count(MethodSettings.of(MethodName.LORA)
                            .with(MethodSetting.RANK, row[0] + "")
                            .with(MethodSetting.LAYERS, "linear,conv"), layers));
        assertEquals(343_684, count(MethodName.BITFIT, layers));
        assertEquals(443_930, count(MethodName.DIFFFIT, layers));
        assertEquals(859_520_964, count(MethodName.FULL, layers));
        assertEquals(2 * 797_184, count(MethodName.LOHA, layers));
    }

    /// 52 filters of 81 parameters, with their layers and settings.
    @Test
    void fileOfAtomsForStableDiffusion15IsSmall() {
        List<Layer> layers = MethodTest.stableDiffusion15().layers();
        MethodSettings settings = MethodSettings.of(MethodName.ATOMS);
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : layers)
            settings.method()
                    .storedShapes(layer)
                    .forEach((parameter, shape) -> values.put(layer.name() + "." + parameter,
                            Tensor.generate(shape, i -> Math.sin(i + 1))));
        AdapterFile adapter = new AdapterFile(settings, new BaseModel("stable-diffusion-v1-5", "0".repeat(64)),
                new Trigger("sks", "car"), new AdapterFile.TrainingSummary(1000, 1e-3, 1),
                AdaptedLayer.of(settings.method(), layers), values);
        assertEquals(52, adapter.layers().size());
        assertEquals(4_212, adapter.parameterCount());
        assertAll(() -> assertTrue(adapter.fileSize() <= 24 << 10, adapter.fileSize() + " bytes"),
                () -> assertTrue(adapter.toBytes(DType.F16).length <= 16 << 10,
                        adapter.toBytes(DType.F16).length + " bytes in half precision"));
    }

    static Stream<UNet> models() throws Exception {
        return Stream.of(MethodTest.stableDiffusion15(), stableDiffusion21(),
                DiffusionModel.open(Shared.root().resolve("assets/default-model")).unet());
    }

    /// One sum over the layers per method, independent of the implementation.
    @ParameterizedTest @MethodSource("models")
    void countsMatchTheFormulas(UNet unet) {
        List<Layer> layers = unet.layers();
        Predicate<Layer> three = layer -> layer.weightShape().rank() == 4 && layer.weightShape().size(2) == 3;
        Predicate<Layer> conv = layer -> layer.weightShape().rank() == 4;
        Predicate<Layer> matrix = layer -> layer.weightShape().rank() == 2
                || conv.test(layer) && layer.weightShape().size(2) == 1;
        Predicate<Layer> attention = layer -> layer.name().contains(".attn");
        Predicate<Layer> norm = layer -> layer.weightShape().rank() == 1;
        assertEquals(sum(layers, three, layer -> 81), count(MethodName.ATOMS, layers));
        assertEquals(sum(layers, three, layer -> 27 * (inputs(layer) + 9)), count(MethodName.OVERCOMPLETE, layers));
        assertEquals(sum(layers, matrix.and(layer -> inputs(layer) % 4 == 0 && outputs(layer) % 4 == 0), layer -> 256),
                count(MethodName.CHANNELS, layers));
        assertEquals(count(MethodName.ATOMS, layers) + count(MethodName.CHANNELS, layers),
                count(MethodName.ATOMS_AND_CHANNELS, layers));
        assertEquals(count(MethodName.OVERCOMPLETE, layers) + count(MethodName.CHANNELS, layers),
                count(MethodName.OVERCOMPLETE_AND_CHANNELS, layers));
        assertEquals(sum(layers, attention, layer -> 4 * (inputs(layer) + outputs(layer))),
                count(MethodName.LORA, layers));
        assertEquals(sum(layers, attention.or(conv), layer -> 4 * (inputs(layer) * area(layer) + outputs(layer))),
                count(MethodName.LOCON, layers));
        assertEquals(sum(layers, attention, layer -> 8 * (inputs(layer) + outputs(layer))),
                count(MethodName.LOHA, layers));
        assertEquals(sum(layers, attention, layer -> {
            long o = largestDivisorUpToTheRoot(outputs(layer)), i = largestDivisorUpToTheRoot(inputs(layer));
            return o * i + 4 * (outputs(layer) / o + inputs(layer) / i);
        }), count(MethodName.LOKR, layers));
        assertEquals(sum(layers, attention, layer -> 4 * (inputs(layer) / 4 * (inputs(layer) / 4 - 1) / 2)),
                count(MethodName.OFT, layers));
        assertEquals(sum(layers, attention, layer -> outputs(layer) / 8 * (8 * 7 / 2)),
                count(MethodSettings.of(MethodName.OFT).with(MethodSetting.SIDE, "output"), layers));
        assertEquals(sum(layers, attention, layer -> 4 * (inputs(layer) + outputs(layer)) + outputs(layer)),
                count(MethodName.DORA, layers));
        long biases = sum(layers, Layer::hasBias, ParameterCountsTest::outputs);
        assertEquals(biases, count(MethodName.BITFIT, layers));
        assertEquals(sum(layers, norm, layer -> 2 * outputs(layer)), count(MethodName.NORM, layers));
        assertEquals(sum(layers, norm.negate(), layer -> 2 * outputs(layer)), count(MethodName.SSF, layers));
        long resnets = layers.stream().filter(layer -> layer.name().endsWith(".conv1")).count(),
                transformers = layers.stream().filter(layer -> layer.name().endsWith(".proj_in")).count();
        assertEquals(biases + sum(layers, norm, ParameterCountsTest::outputs) + resnets + 4 * transformers,
                count(MethodName.DIFFFIT, layers));
        assertEquals(sum(layers, attention, layer -> 4 * (3 * inputs(layer) + outputs(layer))),
                count(MethodName.GLORA, layers));
        assertEquals(sum(layers, layer -> true, layer -> layer.weightShape().elements()) + biases,
                count(MethodName.FULL, layers));
        assertEquals(0, count(MethodName.TEXTUAL_INVERSION, layers), "it trains the token embedding");
        for (MethodName choice : MethodName.values())
            assertTrue(choice == MethodName.TEXTUAL_INVERSION || count(choice, layers) > 0);
    }

    @ParameterizedTest @MethodSource("models")
    void countsOfTheSurveysMethodsMatchTheFormulas(UNet unet) {
        List<Layer> layers = unet.layers();
        Predicate<Layer> attention = layer -> layer.name().contains(".attn");
        assertEquals(sum(layers, attention, layer -> 4 * outputs(layer)), count(MethodName.LORA_FA, layers));
        assertEquals(count(MethodName.LORA, layers),
                count(MethodSettings.of(MethodName.LORA).with(MethodSetting.LORA_INIT, "pissa"), layers));
        assertEquals(sum(layers, attention.and(layer -> inputs(layer) % 16 == 0),
                layer -> 2 * (inputs(layer) / 8) * (8 * 7 / 2)), count(MethodName.BOFT, layers));
        assertEquals(sum(layers, attention, layer -> 8 * (inputs(layer) + outputs(layer))
                + (layer.hasBias() ? inputs(layer) + 2 * outputs(layer) : 0)), count(MethodName.GLORA_TERMS, layers));
        assertEquals(sum(layers, attention, layer -> 64 + outputs(layer)), count(MethodName.VERA, layers));
        assertEquals(count(MethodName.LORA, layers), count(MethodName.T_LORA, layers));
        Predicate<Layer> feedForward = layer -> layer.name().endsWith(".ff.net.2"),
                sublayer = feedForward.or(layer -> layer.name().endsWith(".to_out.0"));
        ToLongFunction<Layer> bottleneck = layer -> 2 * 16 * outputs(layer) + 16 + outputs(layer);
        assertEquals(sum(layers, sublayer, bottleneck), count(MethodName.SERIAL_ADAPTER, layers));
        assertEquals(sum(layers, feedForward, bottleneck), count(MethodName.PARALLEL_ADAPTER, layers));
        assertEquals(sum(layers, layer -> layer.name().endsWith(".to_k") || layer.name().endsWith(".to_v"),
                ParameterCountsTest::outputs)
                + sum(layers, layer -> layer.name().endsWith(".ff.net.2"), ParameterCountsTest::inputs),
                count(MethodName.IA3, layers));
    }

    @Test
    void textualInversionTrainsOneEmbeddingRow() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        assertEquals(model.textEncoder().hiddenSize(), count(MethodName.TEXTUAL_INVERSION, model.trainableLayers()));
        assertEquals(3L * model.textEncoder().hiddenSize(),
                count(MethodSettings.of(MethodName.TEXTUAL_INVERSION).with(MethodSetting.VECTORS, "3"),
                        model.trainableLayers()));
        assertEquals(count(MethodName.ATOMS, model.trainableLayers()) + model.textEncoder().hiddenSize(),
                count(MethodName.ATOMS_AND_WORD, model.trainableLayers()));
        assertEquals(count(MethodName.ATOMS, model.trainableLayers()) + model.textEncoder().hiddenSize(),
                count(MethodSettings.of(MethodName.ATOMS).with(MethodSetting.COMBINE_WITH, "textual-inversion"),
                        model.trainableLayers()));
        long lora = model.trainableLayers().stream().filter(layer -> layer.name().endsWith(".q_proj")).count() * 4L * 4
                * 2 * model.textEncoder().hiddenSize();
        assertEquals(count(MethodName.ATOMS, model.trainableLayers()) + lora, count(
                MethodSettings.of(MethodName.ATOMS).with(MethodSetting.TRAIN_TEXT_ENCODER, "yes"),
                model.trainableLayers()));
    }

    private static long count(MethodName choice, List<Layer> layers) {
        return count(MethodSettings.of(choice), layers);
    }

    private static long count(MethodSettings settings, List<Layer> layers) {
        return settings.method().parameterCount(layers);
    }

    private static long sum(List<Layer> layers, Predicate<Layer> which, ToLongFunction<Layer> count) {
        return layers.stream().filter(which).mapToLong(count).sum();
    }

    private static long outputs(Layer layer) {
        return layer.weightShape().size(0);
    }

    private static long inputs(Layer layer) {
        return layer.weightShape().size(1);
    }

    private static long area(Layer layer) {
        return layer.weightShape().rank() == 4 ? layer.weightShape().size(2) * layer.weightShape().size(3) : 1;
    }

    private static long largestDivisorUpToTheRoot(long n) {
        long largest = 1;
        for (long divisor = 1; divisor * divisor <= n; divisor++) if (n % divisor == 0) largest = divisor;
        return largest;
    }

    private static UNet stableDiffusion21() {
        return new UNet(new UNet.Channels(4, 4),
                List.of(new Level(320, 5, BlockType.CROSS_ATTENTION), new Level(640, 10, BlockType.CROSS_ATTENTION),
                        new Level(1280, 20, BlockType.CROSS_ATTENTION), new Level(1280, 20, BlockType.PLAIN)),
                2, 1024, new UNet.Norm(32, 1e-5), UNet.Projection.LINEAR,
                new UNet.SinusoidalEmbedding(320, UNet.SinusoidalEmbedding.Order.COSINE_SINE, 0));
    }
}
