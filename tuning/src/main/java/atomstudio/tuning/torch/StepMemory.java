package atomstudio.tuning.torch;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;

/// Bytes that the activations and effective weights of one training step hold at the most, by a dry run through the UNet, and through
/// the text encoder where the layout has layers of it: nothing is computed.
/// An estimate: what PyTorch's kernels use within themselves is not in it.
public record StepMemory(DiffusionModel model, ParameterLayout layout, DifferentiationInput.Activations activations, Precision precision) {
    /// @param batch  pictures
    /// @param height of the latents, and their width
    public long bytes(int batch, long height, long width) {
        HeldOps ops = new HeldOps(precision, activations);
        AdaptedWeights.BoundAdapter<Held> bound = new AdaptedWeights.BoundAdapter<>(layout.method(), this::slots, Held.frozen(Shape.of(1)));
        AdaptedWeights<Held> layers = new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound));
        Held latents = Held.frozen(Shape.of(batch, model.unet().channels().in(), height, width));
        Held features = Held.frozen(Shape.of(batch, model.unet().timeProjection().dim()));
        Held context = Held.frozen(Shape.of(batch, model.textEncoder().maxTokens(), model.unet().crossAttentionDim()));
        model.unet().forward(ops, layers, latents, features, context);
        return ops.most() + text(batch, bound);
    }

    /// In float32 and with everything kept, whatever the UNet's part does.
    private long text(int batch, AdaptedWeights.BoundAdapter<Held> bound) {
        if (layout.trained().stream().noneMatch(entry -> ModelComponent.ofLayer(entry.layer().name()) == ModelComponent.TEXT_ENCODER)) return 0;
        HeldOps ops = new HeldOps(Precision.FP32, DifferentiationInput.Activations.KEPT);
        model.textEncoder().encode(ops, new AdaptedWeights<>(ops, SamplingMemory::frozen, List.of(bound)), Held.frozen(Shape.of(batch, model.textEncoder().maxTokens())), 0);
        return ops.most();
    }

    private AdapterParameters<Held> slots(Layer layer) {
        return slot -> Held.trained(layout.method().parameterShapes(layer).get(slot));
    }
}
