package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;

/// If memory is short, switches the UNet to sliced attention for good and predicts again.
/// @param warnings called with a sentence when switching
record SlicedAttentionFallback(NoisePredictor network, SliceableAttention attention, Consumer<String> warnings)
        implements NoisePredictor, NetworkDecorator {
    @Override
    public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning, List<WeightedAdapter> adapters)
            throws Failure {
        try {
            return network.predict(latents, timesteps, conditioning, adapters);
        } catch (Failure.OutOfMemory outOfMemory) {
            if (!attention.enableAttentionSlicing()) throw outOfMemory;
            warnings.accept("Not enough memory for full attention: it is computed in slices from now on, more slowly, "
                    + "with the same result.");
            return network.predict(latents, timesteps, conditioning, adapters);
        }
    }
}
