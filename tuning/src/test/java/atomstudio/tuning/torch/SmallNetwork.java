package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.List;
import java.util.Map;

/// A small Stable Diffusion, opened for training on one thread, and a batch.
record SmallNetwork(DiffusionModel model, TorchEngine engine) implements AutoCloseable {
    static SmallNetwork open() throws Exception {
        DiffusionModel model = DiffusionModel.open(TinyModel.reference("sd1"));
        return new SmallNetwork(model, TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1)));
    }

    /// Two noisy samples with a random context.
    TrainingBatch batch() {
        return batch(new BatchConditioning.Embedded(ReferenceOps.random(3, 2, 5, model.unet().crossAttentionDim())));
    }

    TrainingBatch batch(BatchConditioning conditioning) {
        return new TrainingBatch(ReferenceOps.random(2, 2, 4, 8, 8), new float[] {10, 700}, conditioning,
                ReferenceOps.random(4, 2, 4, 8, 8), Tensor.filled(Shape.of(2, 1, 1, 1), 1));
    }

    /// The frozen parameters of a layout before training.
    Map<String, Tensor> frozen(ParameterLayout layout) {
        return layout.frozenValues(new ParameterLayout.Initialization(engine::baseWeight, 3, List.of()));
    }

    DenoisingLoss.Gradient gradient(ParameterLayout layout, float[] parameters, Checkpointing activations,
            ComputeDtype precision) throws Failure {
        try (DenoisingLoss denoisingLoss = engine
                .denoisingLoss(new DenoisingLossOptions(layout, frozen(layout), activations, precision))) {
            return denoisingLoss.gradient(parameters, batch());
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
