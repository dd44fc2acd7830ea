package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients through the UNet into the text encoder.
class TextEncoderGradientTest {
    private static SmallNetwork network;

    @BeforeAll
    static void open() throws Exception {
        network = SmallNetwork.open();
    }

    @AfterAll
    static void close() {
        network.close();
    }

    static List<MethodSettings> methods() {
        return List.of(MethodSettings.of(MethodName.TEXTUAL_INVERSION),
                MethodSettings.of(MethodName.ATOMS)
                        .with(MethodSetting.COMBINE_WITH, "textual-inversion")
                        .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES));
    }

    /// A batch with the first new token.
    private static TrainingBatch batch() {
        int[] ids = new int[network.model().textEncoder().maxTokens()];
        Arrays.fill(ids, 999);
        ids[0] = 998;
        ids[1] = 3;
        ids[2] = network.model().textEncoder().vocabularySize();
        return network.batch(new BatchConditioning.TokenIds(new int[][] {ids, ids}));
    }

    @ParameterizedTest @MethodSource("methods")
    void gradientsMatchFiniteDifferencesAndReachAllTextEncoderParameters(MethodSettings method) throws Exception {
        ParameterLayout layout = ParameterLayout.of(method.method(), network.model().trainableLayers());
        float[] point = scaled(ReferenceOps.random(1, layout.size()).data(), 0.05f);
        try (DenoisingLoss denoisingLoss = network.engine()
                .denoisingLoss(input(layout, Checkpointing.NONE, ComputeDtype.FP32))) {
            float[] found = denoisingLoss.gradient(point, batch()).vector();
            int at = 0;
            for (ParameterLayout.LayerParameter entry : layout.trained()) {
                int size = (int) entry.spec().shape().elements();
                if (entry.layer().name().startsWith("text_model.")) {
                    float[] own = Arrays.copyOfRange(found, at, at + size);
                    for (float number : own)
                        assertTrue(number != 0 && Float.isFinite(number), entry.key() + ": " + number);
                    float[] there = point.clone();
                    float[] back = point.clone();
                    double norm = 0;
                    for (float number : own) norm += (double) number * number;
                    double step = 1e-2 / Math.sqrt(norm);
                    for (int i = 0; i < size; i++) {
                        there[at + i] += (float) (step * own[i]);
                        back[at + i] -= (float) (step * own[i]);
                    }
                    double slope = (denoisingLoss.loss(there, batch()) - denoisingLoss.loss(back, batch()))
                            / (2 * step);
                    assertEquals(norm, slope, 0.1 * norm + 2e-7 / step, entry.key());
                }
                at += size;
            }
        }
    }

    @ParameterizedTest @MethodSource("methods")
    void checkpointingDoesNotChangeTextEncoderGradients(MethodSettings method) throws Exception {
        ParameterLayout layout = ParameterLayout.of(method.method(), network.model().trainableLayers());
        float[] point = scaled(ReferenceOps.random(1, layout.size()).data(), 0.05f);
        float[][] found = new float[2][];
        for (Checkpointing activations : List.of(Checkpointing.NONE, Checkpointing.FULL)) {
            try (DenoisingLoss denoisingLoss = network.engine()
                    .denoisingLoss(input(layout, activations, ComputeDtype.FP32))) {
                found[activations == Checkpointing.NONE ? 0 : 1] = denoisingLoss.gradient(point, batch()).vector();
            }
        }
        double largest = 0;
        for (float number : found[0]) largest = Math.max(largest, Math.abs(number));
        for (int i = 0; i < found[0].length; i++) assertEquals(found[0][i], found[1][i], 1e-6 * largest, "number " + i);
    }

    @ParameterizedTest @MethodSource("methods")
    void bf16TextEncoderGradientsAreCloseToFloat32(MethodSettings method) throws Exception {
        ParameterLayout layout = ParameterLayout.of(method.method(), network.model().trainableLayers());
        float[] point = scaled(ReferenceOps.random(1, layout.size()).data(), 0.05f);
        float[][] found = new float[2][];
        for (ComputeDtype precision : ComputeDtype.values()) {
            try (DenoisingLoss denoisingLoss = network.engine()
                    .denoisingLoss(input(layout, Checkpointing.SELECTIVE, precision))) {
                found[precision.ordinal()] = denoisingLoss.gradient(point, batch()).vector();
            }
        }
        double both = 0, first = 0, second = 0;
        for (int i = 0; i < found[0].length; i++) {
            both += (double) found[0][i] * found[1][i];
            first += (double) found[0][i] * found[0][i];
            second += (double) found[1][i] * found[1][i];
        }
        assertTrue(both / Math.sqrt(first * second) > 0.99, "cosine " + both / Math.sqrt(first * second));
    }

    /// A caption in two chunks, encoded within the step, equals its chunks encoded before it and concatenated.
    @Test
    void chunksOfLongCaptionsAreConcatenated() throws Exception {
        int length = network.model().textEncoder().maxTokens();
        int[][] ids = new int[4][length];
        for (int i = 0; i < ids.length; i++)
            for (int j = 0; j < length; j++) ids[i][j] = j == 0 ? 998 : (7 * i + 3 * j) % 900;
        Tensor[] contexts = new Tensor[2];
        for (int i = 0; i < 2; i++)
            contexts[i] = network.engine()
                    .networks()
                    .textEncoder()
                    .encode(new int[][] {ids[2 * i], ids[2 * i + 1]}, 1, List.of())
                    .reshape(Shape.of(1, 2L * length, network.model().textEncoder().hiddenSize()));
        ParameterLayout layout = ParameterLayout.of(MethodSettings.of(MethodName.ATOMS).method(),
                network.model().trainableLayers());
        float[] point = scaled(ReferenceOps.random(1, layout.size()).data(), 0.05f);
        try (DenoisingLoss denoisingLoss = network.engine()
                .denoisingLoss(input(layout, Checkpointing.NONE, ComputeDtype.FP32))) {
            double before = denoisingLoss.loss(point,
                    network.batch(new BatchConditioning.Embedded(Tensor.concatenate(contexts))));
            assertEquals(before, denoisingLoss.loss(point, network.batch(new BatchConditioning.TokenIds(ids, 2))),
                    1e-6 * before);
        }
    }

    private static DenoisingLossOptions input(ParameterLayout layout, Checkpointing activations,
            ComputeDtype precision) {
        ParameterLayout.Initialization beginning = new ParameterLayout.Initialization(network.engine()::baseWeight, 0,
                List.of(5, 7));
        Map<String, Tensor> constants = layout.frozenValues(beginning);
        return new DenoisingLossOptions(layout, constants, activations, precision);
    }

    private static float[] scaled(float[] parameters, float by) {
        for (int i = 0; i < parameters.length; i++) parameters[i] *= by;
        return parameters;
    }
}
