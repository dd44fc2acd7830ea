package atomstudio.tuning.torch;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.MemoryAccount.Use;
import atomstudio.tuning.torch.Tape.Variable;
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
        return unet(model, List.of(new AdaptedWeights.BoundAdapter<>(layout.method(),
                layer -> slot -> frozen(layout.method().parameterShapes(layer).get(slot)), frozen(Shape.of(1)))),
                height,
                width);
    }

    /// Peak bytes of the UNet's activations for an image with guidance, of latents of this size.
    public static long unetActivations(DiffusionModel model, long height, long width) {
        return unet(model, List.of(), height, width);
    }

    private static long unet(DiffusionModel model, List<AdaptedWeights.BoundAdapter<Variable<Use>>> adapters,
            long height, long width) {
        MemoryAccount account = new MemoryAccount();
        Differentiated<Use> ops = ops(account);
        model.unet()
                .forward(ops, new AdaptedWeights<>(ops, SamplingMemory::frozen, adapters),
                        frozen(Shape.of(GUIDANCE_BATCH, model.unet().channels().in(), height, width)),
                        frozen(Shape.of(GUIDANCE_BATCH, model.unet().timeProjection().dim())),
                        frozen(Shape.of(GUIDANCE_BATCH, model.textEncoder().maxTokens(),
                                model.unet().crossAttentionDim())));
        return account.peak();
    }

    private long decoder(long height, long width) {
        MemoryAccount account = new MemoryAccount();
        model.vae()
                .decode(ops(account), SamplingMemory::frozen,
                        frozen(Shape.of(1, model.vae().latentChannels(), height, width)));
        return account.peak();
    }

    private static Differentiated<Use> ops(MemoryAccount account) {
        MemoryOps memory = new MemoryOps(account, ComputeDtype.FP32);
        return new Differentiated<>(memory, new Tape<>(memory), DenoisingLossOptions.Checkpointing.NONE);
    }

    static LayerWeights<Variable<Use>> frozen(Layer layer) {
        return new LayerWeights<>(frozen(layer.weightShape()), layer.hasBias() ? frozen(layer.biasShape()) : null);
    }

    static Variable<Use> frozen(Shape shape) {
        return Variable.frozen(Use.persistent(shape));
    }
}
