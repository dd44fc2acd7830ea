package atomstudio.tuning.torch;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;

/// Peak bytes of the activations and effective weights of one training step, counted by a dry run of the UNet and, if
/// it is trained, the text encoder. Workspace of PyTorch's kernels is not included.
public record TrainingStepMemory(DiffusionModel model, ParameterLayout layout,
        DenoisingLossOptions.Checkpointing checkpointing, ComputeDtype computeDtype) {
    /// @param height of the latents
    /// @param width  of the latents
    public long bytes(int batch, long height, long width) {
        MemoryOps ops = new MemoryOps(computeDtype, checkpointing);
        AdaptedWeights.BoundAdapter<TensorUse> bound = new AdaptedWeights.BoundAdapter<>(layout.method(),
                this::parameters, TensorUse.frozen(Shape.of(1)));
        AdaptedWeights<TensorUse> layers = new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound));
        TensorUse latents = TensorUse.frozen(Shape.of(batch, model.unet().channels().in(), height, width));
        TensorUse features = TensorUse.frozen(Shape.of(batch, model.unet().timeProjection().dim()));
        TensorUse context = TensorUse
                .frozen(Shape.of(batch, model.textEncoder().maxTokens(), model.unet().crossAttentionDim()));
        model.unet().forward(ops, layers, latents, features, context);
        return ops.peak() + textEncoderBytes(batch, bound);
    }

    /// Always in float32 and without checkpointing.
    private long textEncoderBytes(int batch, AdaptedWeights.BoundAdapter<TensorUse> bound) {
        if (layout.trained()
                .stream()
                .noneMatch(entry -> entry.layer().component().equals(Component.TEXT_ENCODER)))
            return 0;
        MemoryOps ops = new MemoryOps(ComputeDtype.FP32, DenoisingLossOptions.Checkpointing.NONE);
        model.textEncoder()
                .encode(ops, new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound)),
                        TensorUse.frozen(Shape.of(batch, model.textEncoder().maxTokens())), 0);
        return ops.peak();
    }

    private Adaptation.AdapterParameters<TensorUse> parameters(Layer layer) {
        return slot -> TensorUse.trainable(layout.method().parameterShapes(layer).get(slot));
    }
}
