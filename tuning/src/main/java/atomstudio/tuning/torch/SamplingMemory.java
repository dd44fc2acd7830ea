package atomstudio.tuning.torch;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;

/// Bytes needed to generate one image with guidance in float32, as previews are; counted by a dry run.
public record SamplingMemory(DiffusionModel model, ParameterLayout layout) {
    /// Prompt and negative prompt in one batch.
    private static final int GUIDANCE_BATCH = 2;

    /// Peak bytes of activations and effective weights: of the UNet or of the decoder, which runs after it.
    public long activations(long height, long width) {
        return Math.max(unet(height, width), decoder(height, width));
    }

    /// Bytes of weights that training does not load.
    public long weights() {
        return Float.BYTES * Layer.parameterCount(model.vae()
                .layers()
                .stream()
                .filter(layer -> layer.path().startsWith("decoder.") || layer.path().startsWith("post_quant_conv"))
                .toList());
    }

    private long unet(long height, long width) {
        MemoryOps ops = new MemoryOps(ComputeDtype.FP32, DenoisingLossOptions.Checkpointing.NONE, GradMode.OFF);
        AdaptedWeights.BoundAdapter<TensorUse> bound = new AdaptedWeights.BoundAdapter<>(layout.method(),
                layer -> slot -> TensorUse.frozen(layout.method().parameterShapes(layer).get(slot)),
                TensorUse.frozen(Shape.of(1)));
        AdaptedWeights<TensorUse> layers = new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound));
        model.unet()
                .forward(ops, layers,
                        TensorUse.frozen(Shape.of(GUIDANCE_BATCH, model.unet().channels().in(), height, width)),
                        TensorUse.frozen(Shape.of(GUIDANCE_BATCH, model.unet().timeProjection().dim())),
                        TensorUse.frozen(Shape.of(GUIDANCE_BATCH, model.textEncoder().maxTokens(),
                                model.unet().crossAttentionDim())));
        return ops.peak();
    }

    private long decoder(long height, long width) {
        MemoryOps ops = new MemoryOps(ComputeDtype.FP32, DenoisingLossOptions.Checkpointing.NONE, GradMode.OFF);
        model.vae()
                .decode(ops, SamplingMemory::frozen,
                        TensorUse.frozen(Shape.of(1, model.vae().latentChannels(), height, width)));
        return ops.peak();
    }

    static LayerWeights<TensorUse> frozen(Layer layer) {
        return new LayerWeights<>(TensorUse.frozen(layer.weightShape()),
                layer.hasBias() ? TensorUse.frozen(layer.biasShape()) : null);
    }
}
