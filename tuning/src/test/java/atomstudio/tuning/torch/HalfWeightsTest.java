package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import atomstudio.diffusion.TensorAssert;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.Lora;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.TorchWeights.HalfWeights;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// float16 weights that are converted at each use give what weights converted once give.
class HalfWeightsTest {
    @TempDir
    private static Path folder;
    private static DiffusionModel model;

    @BeforeAll
    static void writeHalfWeights() throws Exception {
        Path half = folder.resolve("half");
        Path file = half.resolve("unet/diffusion_pytorch_model.safetensors");
        DiffusionModel reference = TinyModel.make(half, "sd1");
        Map<String, Tensor> tensors = new TreeMap<>();
        try (Checkpoint checkpoint = reference.openCheckpoint(Component.UNET)) {
            for (String key : checkpoint.keys()) tensors.put(key, checkpoint.read(key));
        }
        Map<String, Shape> shapes = new TreeMap<>();
        tensors.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
        SafetensorsWriter.write(file, shapes, Map.of(), DType.F16, tensors::get);
        model = DiffusionModel.open(half);
    }

    static Stream<Arguments> cases() {
        return Stream.of(new FilterAtoms(9), new Lora(2))
                .flatMap(method -> Stream.of(Checkpointing.values())
                        .flatMap(checkpointing -> Stream.of(ComputeDtype.values())
                                .map(dtype -> Arguments.of(method, checkpointing, dtype))));
    }

    @ParameterizedTest @MethodSource("cases")
    void gradientsAreEqual(TuningMethod method, Checkpointing checkpointing, ComputeDtype dtype) throws Exception {
        ParameterLayout layout = ParameterLayout.of(method, model.unet().layers());
        float[] parameters = ReferenceOps.random(1, layout.size()).data();
        for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.05f;
        DenoisingLossOptions options = new DenoisingLossOptions(layout, Map.of(), checkpointing, dtype);
        DenoisingLoss.Gradient once = gradient(HalfWeights.ONCE, options, parameters);
        DenoisingLoss.Gradient atUse = gradient(HalfWeights.AT_USE, options, parameters);
        assertEquals(once.loss(), atUse.loss());
        TensorAssert.assertClose("gradient", new Tensor(Shape.of(layout.size()), once.vector()),
                new Tensor(Shape.of(layout.size()), atUse.vector()), 0);
    }

    private static DenoisingLoss.Gradient gradient(HalfWeights halfWeights, DenoisingLossOptions options,
            float[] parameters) throws Exception {
        try (Torch torch = Torch.open(Device.CPU, TorchSettings.standard().withThreads(1));
                Checkpoint checkpoint = model.openCheckpoint(Component.UNET);
                TorchWeights weights = weights(torch, checkpoint, halfWeights);
                TrainingLoss<TrainingBatch> loss = new TrainingLoss<>(
                        new TrainedNetworks(torch, _ -> weights, _ -> null, () -> {}),
                        new DenoisingLoss.DenoisingObjective(model), options)) {
            TrainingBatch batch = new TrainingBatch(ReferenceOps.random(2, 2, 4, 8, 8), new float[] {10, 700},
                    new BatchConditioning.Embedded(ReferenceOps.random(3, 2, 5, model.unet().crossAttentionDim())),
                    ReferenceOps.random(4, 2, 4, 8, 8), Tensor.filled(Shape.of(2, 1, 1, 1), 1));
            return loss.gradient(parameters, batch);
        }
    }

    private static TorchWeights weights(Torch torch, Checkpoint checkpoint, HalfWeights halfWeights) {
        return new TorchWeights(torch, checkpoint, new MergedAdapters(torch, List.of()), halfWeights);
    }

    @Test
    void convertedWeightsAreFreedWithTheirScope() throws Exception {
        Layer layer = model.unet().layers().stream().filter(Layer::isProjection).findFirst().orElseThrow();
        try (Torch torch = Torch.open(Device.CPU, TorchSettings.standard().withThreads(1));
                Checkpoint checkpoint = model.openCheckpoint(Component.UNET);
                TorchWeights weights = weights(torch, checkpoint, HalfWeights.AT_USE)) {
            NDArray first;
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                first = weights.get(layer).weight();
                assertEquals(first, weights.get(layer).weight(), "converted once in a scope");
                TensorAssert.assertClose("weight", checkpoint.read(layer.weightKey()), torch.tensor(first), 0);
            }
            assertTrue(((PtNDArray) first).isReleased());
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                TensorAssert.assertClose("weight", checkpoint.read(layer.weightKey()),
                        torch.tensor(weights.get(layer).weight()), 0);
            }
        }
    }
}
