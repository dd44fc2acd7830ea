package atomstudio.tuning.torch;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;

/// Bytes that making one picture with guidance holds, by a dry run: nothing is computed. In float32, as previews are made.
public record SamplingMemory(DiffusionModel model, ParameterLayout layout) {
    /// With the prompt and with the negative prompt, in one batch.
    private static final int GUIDED = 2;

    /// Activations and effective weights at the most: of the UNet, or of the decoder, which runs after it.
    public long activations(long height, long width) {
        return Math.max(unet(height, width), decoder(height, width));
    }

    /// Weights that training does not hold.
    public long weights() {
        return Float.BYTES * LayerRecorder.parameterCount(NetworkLayers.of(model.vae()).stream().filter(layer -> layer.name().startsWith("decoder.") || layer.name().startsWith("post_quant_conv")).toList());
    }

    private long unet(long height, long width) {
        HeldOps ops = new HeldOps(Precision.FP32, DifferentiationInput.Activations.KEPT, Recording.OFF);
        AdaptedWeights.BoundAdapter<Held> bound = new AdaptedWeights.BoundAdapter<>(layout.method(), layer -> slot -> Held.frozen(layout.method().parameterShapes(layer).get(slot)), Held.frozen(Shape.of(1)));
        AdaptedWeights<Held> layers = new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound));
        model.unet().forward(ops, layers, Held.frozen(Shape.of(GUIDED, model.unet().channels().in(), height, width)), Held.frozen(Shape.of(GUIDED, model.unet().timeProjection().dim())),
            Held.frozen(Shape.of(GUIDED, model.textEncoder().maxTokens(), model.unet().crossAttentionDim())));
        return ops.most();
    }

    private long decoder(long height, long width) {
        HeldOps ops = new HeldOps(Precision.FP32, DifferentiationInput.Activations.KEPT, Recording.OFF);
        model.vae().decode(ops, SamplingMemory::frozen, Held.frozen(Shape.of(1, model.vae().latentChannels(), height, width)));
        return ops.most();
    }

    static LayerWeights<Held> frozen(Layer layer) {
        return new LayerWeights<>(Held.frozen(layer.weightShape()), layer.hasBias() ? Held.frozen(layer.biasShape()) : null);
    }
}
