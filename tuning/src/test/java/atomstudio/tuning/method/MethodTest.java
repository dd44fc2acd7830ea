package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.UNet.BlockType;
import atomstudio.diffusion.net.UNet.Level;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MethodTest {
    @Test
    void channelAtomsTargetTheTimeEmbeddingAndNo3x3Convolutions() {
        List<Layer> layers = stableDiffusion15().layers();
        ChannelAtoms channels = new ChannelAtoms(4, 16);
        assertTrue(layers.stream()
                .filter(layer -> layer.name().startsWith("time_embedding.linear_"))
                .allMatch(channels::tunes));
        assertTrue(layers.stream().filter(layer -> layer.kernelSize() == 3).noneMatch(channels::tunes));
    }

    @Test
    void channelAtomsSkipIndivisibleLayers() {
        assertFalse(
                new ChannelAtoms(4, 16)
                        .tunes(new Layer(Component.UNET, "odd", Layer.Kind.LINEAR, Shape.of(8, 6), Layer.Bias.ABSENT)));
        assertTrue(
                new ChannelAtoms(2, 4).tunes(
                        new Layer(Component.UNET, "even", Layer.Kind.LINEAR, Shape.of(8, 6), Layer.Bias.ABSENT)));
    }

    @Test
    void layersAreSelectedByKindNameAndUpBlocks() {
        List<Layer> layers = stableDiffusion15().layers();
        assertEquals(52, selected("conv3x3", layers).size());
        assertEquals(98, selected("conv", layers).size());
        assertEquals(184, selected("linear", layers).size());
        assertEquals(128, selected("attention", layers).size());
        assertTrue(selected("attention", layers).stream()
                .allMatch(name -> name.matches(".*\\.attn[12]\\.(to_q|to_k|to_v|to_out\\.0)")));
        assertEquals(98 + 184, selected("conv, linear", layers).size());
        assertEquals(List.of("conv_in"), selected("conv_?n", layers));
        assertEquals(44, selected("*.resnets.*.conv?", layers).size());
        assertEquals(27, selected("conv3x3,up", layers).size(), "up restricts the other items");
        assertEquals(layers.stream().filter(layer -> layer.name().startsWith("up_blocks.")).count(),
                selected("up", layers).size());
        assertThrows(IllegalArgumentException.class, () -> LayerSelector.parse("conv,,linear"));
    }

    @Test
    void textEncoderLayersMatchOnlyTheirOwnPatterns() {
        Layer text = new Layer(Component.TEXT_ENCODER, "text_model.encoder.layers.0.self_attn.q_proj",
                Layer.Kind.LINEAR, Shape.of(8, 8),
                Layer.Bias.PRESENT);
        for (String choice : List.of("linear", "attention", "*", "*q_proj"))
            assertFalse(LayerSelector.parse(choice).matches(text), choice);
        assertTrue(LayerSelector.parse("text_model.*").matches(text));
        assertTrue(
                MethodSettings.of(MethodName.ATOMS).with(MethodSetting.TRAIN_TEXT_ENCODER, "yes").method().tunes(text));
        for (MethodName choice : MethodName.values())
            assertFalse(MethodSettings.of(choice).method().tunes(text), choice.option());
    }

    private static List<String> selected(String choice, List<Layer> layers) {
        return layers.stream().filter(LayerSelector.parse(choice)::matches).map(Layer::name).toList();
    }

    @Test
    void upAloneRestrictsTheDefaultLayers() {
        List<Layer> layers = stableDiffusion15().layers();
        assertEquals(27 * 81,
                MethodSettings.of(MethodName.ATOMS).with(MethodSetting.LAYERS, "up").method().parameterCount(layers));
        List<String> targets = layers.stream()
                .filter(MethodSettings.of(MethodName.LORA).with(MethodSetting.LAYERS, "up").method()::tunes)
                .map(Layer::name)
                .toList();
        assertEquals(9 * 8, targets.size());
        assertTrue(targets.stream().allMatch(name -> name.matches("up_blocks\\..*\\.(to_q|to_k|to_v|to_out\\.0)")));
    }

    @Test
    void unsupportedLayersAreRejectedListingTheSupportedOnes() throws Exception {
        List<Layer> layers = stableDiffusion15().layers();
        Failure rejected = assertThrows(Failure.Incompatible.class,
                () -> MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.LAYERS, "conv3x3,attentoin")
                        .check("the model", layers));
        assertTrue(rejected.getMessage().contains("attentoin") && rejected.getMessage().contains("the model")
                && rejected.getMessage().contains("conv3x3, conv, up, conv_in")
                && rejected.getMessage().contains("down_blocks.*.resnets.*.conv1"), rejected.getMessage());
        assertThrows(Failure.Incompatible.class,
                () -> MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.LAYERS, "linear")
                        .check("the model", layers));
        assertThrows(Failure.Incompatible.class,
                () -> MethodSettings.of(MethodName.LORA)
                        .with(MethodSetting.LAYERS, "conv_norm_out,up")
                        .check("the model", layers));
        MethodSettings.of(MethodName.LORA)
                .with(MethodSetting.LAYERS, "conv_in,up_blocks.1.*")
                .check("the model", layers);
        MethodSettings.of(MethodName.ATOMS_AND_CHANNELS)
                .with(MethodSetting.LAYERS, "conv,up")
                .check("the model", layers);
        Failure overlap = assertThrows(Failure.Incompatible.class,
                () -> MethodSettings.of(MethodName.LORA)
                        .with(MethodSetting.COMBINE_WITH, "channels")
                        .check("the model", layers));
        assertTrue(overlap.getMessage().contains(".attn1.to_q"), overlap.getMessage());
        MethodSettings.of(MethodName.LORA).with(MethodSetting.COMBINE_WITH, "atoms").check("the model", layers);
        MethodSettings.of(MethodName.LORA)
                .with(MethodSetting.COMBINE_WITH, "atoms")
                .with(MethodSetting.RANK_PATTERN, "up_blocks.*=8")
                .check("the model", layers);
    }

    @Test
    void rejectsInvalidArguments() {
        assertThrows(IllegalArgumentException.class, () -> new FilterAtoms(0));
        assertThrows(IllegalArgumentException.class, () -> new OvercompleteAtoms(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new ChannelAtoms(1, 1));
        assertThrows(IllegalArgumentException.class, () -> new ChannelAtoms(4, 17));
        assertThrows(IllegalArgumentException.class, () -> new Lora(0));
        CombinedMethods twice = new CombinedMethods(List.of(new FilterAtoms(9), new FilterAtoms(4)));
        IllegalArgumentException overlap = assertThrows(IllegalArgumentException.class, () -> twice
                .parameterSpecs(new Layer(Component.UNET, "conv_in", Layer.Kind.CONV, Shape.of(4, 4, 3, 3),
                        Layer.Bias.PRESENT)));
        assertTrue(overlap.getMessage().contains("conv_in"));
    }

    /// Of the kernels that are trained; smaller kernels have fewer.
    @Test
    void theLargestKernelLimitsTheAtoms() throws Exception {
        Layer depthwise = new Layer(Component.CLASSIFIER, "dwconv", Layer.Kind.CONV, Shape.of(96, 1, 7, 7),
                Layer.Bias.PRESENT, 96);
        Layer small = new Layer(Component.CLASSIFIER, "downsampling", Layer.Kind.CONV, Shape.of(192, 96, 2, 2),
                Layer.Bias.PRESENT);
        for (String method : List.of("atoms", "overcomplete", "atoms+channels", "overcomplete+channels")) {
            MethodSettings most = MethodSettings.parse(method, Map.of("atoms", "49", "layers", "conv"));
            most.check("a classifier", List.of(depthwise, small));
            Failure many = assertThrows(Failure.Incompatible.class,
                    () -> most.with(MethodSetting.ATOMS, "50").check("a classifier", List.of(depthwise, small)));
            assertTrue(many.getMessage().contains("expected 1 to 49 on the 7×7 kernels of a classifier")
                    && many.getMessage().contains("found 50"), many.getMessage());
            assertThrows(Failure.Incompatible.class, () -> most.check("a UNet", stableDiffusion15().layers()));
        }
        MethodSettings.parse("atoms", Map.of("atoms", "12", "coding", "sparse"))
                .check("a UNet", stableDiffusion15().layers());
        TuningMethod method = MethodSettings.parse("atoms", Map.of("atoms", "49", "layers", "conv")).method();
        assertEquals(49 * 49 + 4 * 4, method.parameterCount(List.of(depthwise, small)));
    }

    @Test
    void settingsAreParsedFromFiles() throws Exception {
        assertEquals(new RestrictedMethod(new FilterAtoms(6), LayerSelector.parse("conv3x3")),
                MethodSettings.parse("atoms", Map.of("atoms", "6")).method());
        assertEquals(new RestrictedMethod(new ChannelAtoms(2, 4), LayerSelector.ALL),
                MethodSettings.parse("channels", Map.of("channel-block", "2")).method());
        assertEquals(new RestrictedMethod(new Lora(8, 8), LayerSelector.parse("attention")),
                MethodSettings.parse("lora", Map.of("rank", "8")).method());
        assertEquals(new RestrictedMethod(new Lora(8, 4), LayerSelector.parse("linear")),
                MethodSettings.parse("lora", Map.of("rank", "8", "alpha", "4", "layers", "linear")).method());
        assertEquals(MethodSettings.of(MethodName.LORA),
                MethodSettings.parse("lora", Map.of("atoms", "3", "rank", "4")),
                "LoRA has no atoms, and 4 is the default rank");
        for (MethodName choice : MethodName.values()) {
            MethodSettings settings = MethodSettings.of(choice);
            assertEquals(settings, MethodSettings.parse(choice.option(), settings.entries()));
        }
        MethodSettings all = MethodSettings.of(MethodName.OVERCOMPLETE_AND_CHANNELS)
                .with(MethodSetting.INNER_ATOMS, "2")
                .with(MethodSetting.COMBINE_WITH, "bitfit")
                .with(MethodSetting.TRAIN_TEXT_ENCODER, "yes")
                .with(MethodSetting.RANK, "7")
                .with(MethodSetting.LAYERS, "up");
        assertEquals(all, MethodSettings.parse(all.name(), all.entries()));
        assertEquals(all,
                MethodSettings.parse(all.name(),
                        Map.of("m1", "2", "also", "bitfit", "text-encoder", "yes", "rank", "7", "layers", "up")),
                "the names of older versions");
        String twice = assertThrows(Failure.Incompatible.class,
                () -> MethodSettings.parse("atoms", new TreeMap<>(Map.of("also", "bitfit", "combine-with", "lora"))))
                .getMessage();
        assertTrue(twice.contains("also and combine-with"), twice);
        assertEquals(Map.of("atoms", "9", "inner-atoms", "2", "channel-block", "4", "channel-atoms", "16", "rank", "7",
                "alpha", "7", "scaling", "standard", "layers", "up", "combine-with", "bitfit", "train-text-encoder",
                "yes"), all.entries());
    }

    @Test
    void invalidSettingsAreRejected() {
        Failure unknown = assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("magic", Map.of()));
        assertTrue(
                unknown.getMessage().contains("magic")
                        && unknown.getMessage().contains("atoms, atoms+word, overcomplete, channels, atoms+channels"),
                unknown.getMessage());
        assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("atoms", Map.of("atoms", "0")));
        assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("lora", Map.of("rank", "0")));
        assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("lora", Map.of("rank", "many")));
        assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("lora", Map.of("colour", "red")));
        assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("atoms", Map.of("also", "magic")));
        IllegalArgumentException foreign = assertThrows(IllegalArgumentException.class,
                () -> MethodSettings.of(MethodName.ATOMS, Map.of(MethodSetting.RANK, "8")));
        assertTrue(
                foreign.getMessage()
                        .startsWith(
                                "rank: belongs to lora, locon, lora-fa, loha, lokr, dora, glora, glora-terms, vera"),
                foreign.getMessage());
        MethodSettings.of(MethodName.ATOMS,
                Map.of(MethodSetting.RANK, "8", MethodSetting.TRAIN_TEXT_ENCODER, "yes"));
        MethodSettings.of(MethodName.ATOMS, Map.of(MethodSetting.RANK, "8", MethodSetting.COMBINE_WITH, "lora"));
    }

    @Test
    void loraIsInitializedKaimingUniform() {
        Layer layer = new Layer(Component.UNET, "attn1.to_q", Layer.Kind.LINEAR, Shape.of(64, 256), Layer.Bias.ABSENT);
        Tensor a = new Lora(4).parameterSpecs(layer)
                .getFirst()
                .initializer()
                .initialize(new ParameterSpec.InitContext(() -> Tensor.zeros(layer.weightShape()),
                        new CounterRng(0, "x"), List.of(), name -> Tensor.zeros(layer.weightShape())));
        double largest = 0;
        double square = 0;
        for (float number : a.data()) {
            largest = Math.max(largest, Math.abs(number));
            square += (double) number * number / a.data().length;
        }
        assertTrue(largest <= 1 / 16.0 && largest > 0.99 / 16);
        assertEquals(1 / 16.0 / Math.sqrt(3), Math.sqrt(square), 0.002);
    }

    @Test
    void singularVectorsAreOrthonormalAndOrdered() {
        float[] a = {2, 1, 0, -1, 1, 3, 0.5f, 0, 1};
        float[] values = new float[300];
        CounterRng rng = new CounterRng(1, "rows");
        float[] mix = rng.normals(300);
        for (int row = 0; row < 100; row++)
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) values[row * 3 + j] += mix[row * 3 + i] * a[i * 3 + j] * (i == 2 ? 0 : 1);
        Tensor rows = new Tensor(Shape.of(100, 3), values);
        float[] d = SingularVectors.leading(rows, 3).data();
        for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) {
            double dot = 0;
            for (int k = 0; k < 3; k++) dot += d[i * 3 + k] * d[j * 3 + k];
            assertEquals(i == j ? 1 : 0, dot, 1e-6, "orthonormal");
        }
        for (int row = 0; row < 100; row++) {
            double onThird = 0;
            for (int k = 0; k < 3; k++) onThird += values[row * 3 + k] * d[6 + k];
            assertEquals(0, onThird, 1e-5, "a rank-2 matrix has no component along its third vector");
        }
        assertArrayEquals(d, SingularVectors.leading(rows, 3).data());
        assertTrue(variance(values, d, 0) >= variance(values, d, 1));
    }

    @Test
    void sparseCodesAreSparseAndImproveWithMoreAtoms() {
        float[] values = new CounterRng(1, "kernels").normals(9 * 3000);
        for (int i = 0; i < values.length; i++) values[i] *= 0.03f;
        Tensor rows = new Tensor(Shape.of(3000, 9), values);
        double before = 1;
        for (int atoms : new int[] {4, 6, 12}) {
            Tensor d = SparseCoding.atoms(rows, atoms, new CounterRng(2, "D"));
            assertArrayEquals(d.data(), SparseCoding.atoms(rows, atoms, new CounterRng(2, "D")).data(), "seeded");
            Tensor codes = SparseCoding.codes(rows, d);
            double error = 0, all = 0;
            int zeros = 0;
            for (int row = 0; row < 3000; row++) for (int k = 0; k < 9; k++) {
                double coded = 0;
                for (int j = 0; j < atoms; j++) coded += codes.data()[row * atoms + j] * d.data()[j * 9 + k];
                error += Math.pow(coded - values[row * 9 + k], 2);
                all += Math.pow(values[row * 9 + k], 2);
            }
            for (float code : codes.data()) if (code == 0) zeros++;
            double relative = Math.sqrt(error / all);
            assertTrue(relative < before, atoms + " atoms: relative error " + relative);
            assertTrue(zeros > 0, "some codes are zero");
            before = relative;
        }
        assertTrue(before < 0.1, "12 atoms: relative error " + before);
    }

    @Test
    void sparseCodesOfOtherWeightsAreRejected() {
        Layer layer = new Layer(Component.UNET, "conv", Layer.Kind.CONV, Shape.of(8, 4, 3, 3), Layer.Bias.ABSENT);
        ParameterLayout layout = ParameterLayout.of(new SparseAtoms(12), List.of(layer));
        Tensor weight = new Tensor(layer.weightShape(), new CounterRng(1, "w").normals(288));
        Map<String, Tensor> stored = layout
                .frozenValues(new ParameterLayout.Initialization(key -> weight, 5, List.of()));
        assertEquals(java.util.Set.of("conv.D", "conv.check"), stored.keySet());
        assertEquals(Shape.of(32, 12), layout.withDerived(stored, key -> weight).get("conv.alpha").shape());
        Tensor other = new Tensor(layer.weightShape(), weight.data().clone());
        other.data()[7] += 0.1f;
        IllegalArgumentException rejected = assertThrows(IllegalArgumentException.class,
                () -> layout.withDerived(stored, key -> other));
        assertTrue(rejected.getMessage().contains("conv"), rejected.getMessage());
    }

    @Test
    void counterRngIsAFunctionOfSeedStreamAndPosition() {
        CounterRng rng = new CounterRng(5, "a");
        assertEquals(rng.bits(7), new CounterRng(5, "a").bits(7));
        assertNotEquals(rng.bits(7), new CounterRng(6, "a").bits(7));
        assertNotEquals(rng.bits(7), new CounterRng(5, "b").bits(7));
        float[] normals = rng.normals(20_001);
        double mean = 0;
        double square = 0;
        double fourth = 0;
        for (float x : normals) {
            mean += x / 20_001;
            square += x * x / 20_001;
            fourth += Math.pow(x, 4) / 20_001;
        }
        assertEquals(0, mean, 0.03);
        assertEquals(1, square, 0.03);
        assertEquals(3, fourth, 0.2);
        assertArrayEquals(java.util.Arrays.copyOf(normals, 11), rng.normals(11));
    }

    private static double variance(float[] rows, float[] d, int vector) {
        double sum = 0;
        for (int row = 0; row < 100; row++) {
            double dot = 0;
            for (int k = 0; k < 3; k++) dot += rows[row * 3 + k] * d[vector * 3 + k];
            sum += dot * dot;
        }
        return sum;
    }

    static UNet stableDiffusion15() {
        return new UNet(new UNet.Channels(4, 4),
                List.of(new Level(320, 8, BlockType.CROSS_ATTENTION), new Level(640, 8, BlockType.CROSS_ATTENTION),
                        new Level(1280, 8, BlockType.CROSS_ATTENTION), new Level(1280, 8, BlockType.PLAIN)),
                2, 768, new UNet.Norm(32, 1e-5), UNet.Projection.CONV,
                new UNet.SinusoidalEmbedding(320, UNet.SinusoidalEmbedding.Order.COSINE_SINE, 0));
    }
}
