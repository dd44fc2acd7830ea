package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertWithin;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.LoraFa;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.ParameterSpec;
import atomstudio.tuning.method.TextualInversion;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Losses and gradients of LoRA-FA and prompt tuning are those of peft (make_gradients.py beside the goldens).
class PeftGradientsTest {
    private static SmallNetwork network;
    private static SafetensorsFile golden;

    @BeforeAll
    static void open() throws Exception {
        network = SmallNetwork.open();
        golden = SafetensorsFile
                .open(Shared.root().resolve("tuning/src/test/resources/goldens/survey/gradients.safetensors"));
    }

    @AfterAll
    static void close() {
        network.close();
        golden.close();
    }

    /// At the parameters before each step of peft's LoRA-FA optimizer, which leaves A as it is.
    @Test
    void loraFaTrainsTheSameParameter() throws Exception {
        Layer layer = new Layer(Component.UNET, "linear", Layer.Kind.LINEAR, Shape.of(16, 24), Layer.Bias.PRESENT);
        LoraFa method = new LoraFa(3, 2);
        assertEquals(List.of("B"), method.parameterSpecs(layer)
                .stream()
                .filter(ParameterSpec::isTrained)
                .map(ParameterSpec::name)
                .toList());
        for (int step = 0; step < 3; step++) {
            assertEquals(golden.read("lorafa.A.0"), golden.read("lorafa.A." + step));
            Torch torch = network.engine().torch();
            try (TorchScope scope = torch.scope(GradMode.ON)) {
                NDArray b = torch.leaf(golden.read("lorafa.B." + step));
                Map<String, NDArray> parameters = Map.of("A", array("A." + step), "B", b);
                LayerWeights<NDArray> weights = method.effective(torch.ops(), layer,
                        new LayerWeights<>(array("base"), array("bias")), parameters::get,
                        torch.array(Tensor.filled(Shape.of(1), 1)));
                NDArray loss = torch.ops().linear(array("x"), weights).sub(array("target")).square().mean();
                assertEquals(golden.read("lorafa.loss." + step).data()[0], torch.tensor(loss).data()[0], 1e-6);
                assertWithin("gradient of step " + step, golden.read("lorafa.grad.B." + step), torch.gradient(loss, b),
                        1e-6);
            }
        }
    }

    private static NDArray array(String name) {
        return network.engine().torch().array(golden.read("lorafa." + name));
    }

    private record TextObjective(ClipTextModel text) implements Objective<int[][]> {
        @Override
        public <T> T loss(Step<T> step, int[][] ids) {
            LossOps<T> ops = step.float32Ops();
            T states = text.encode(ops, step.layers(Component.TEXT_ENCODER, ops), ops.input(ids), 0);
            return ops.squaredError(states, golden.read("prompt.target"), Tensor.filled(Shape.of(1, 1, 1), 1));
        }
    }

    /// Three learned tokens before a text, as peft's virtual tokens.
    @Test
    void severalVectorsArePromptTuning() throws Exception {
        ClipTextModel text = network.model().textEncoder();
        float[] words = golden.read("prompt.ids").data();
        int[][] ids = new int[1][3 + words.length];
        for (int i = 0; i < ids[0].length; i++) ids[0][i] = i < 3 ? text.vocabularySize() + i : (int) words[i - 3];
        ParameterLayout layout = ParameterLayout.of(new TextualInversion(3), network.model().trainableLayers());
        Map<String, Tensor> start = layout.frozenValues(
                new ParameterLayout.Initialization(network.engine()::baseWeight, 0, List.of(5)));
        try (TrainingLoss<int[][]> loss = new TrainingLoss<>(network.engine().trainedNetworks(),
                new TextObjective(text),
                new DenoisingLossOptions(layout, start, Checkpointing.NONE, ComputeDtype.FP32))) {
            TrainingLoss.Gradient found = loss.gradient(golden.read("prompt.rows").data(), ids);
            assertEquals(golden.read("prompt.loss").data()[0], found.loss(), 1e-5);
            assertWithin("gradient", golden.read("prompt.grad.rows"), new Tensor(Shape.of(3, 24), found.vector()),
                    1e-6);
        }
    }
}
