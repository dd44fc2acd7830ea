package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/// If memory is short, halves the rows that the UNet runs on at a time for good and predicts again, down to the two
/// prompts of one image. The sampler's own tensors are small, so the batch itself continues.
final class HalvedBatchFallback implements NoisePredictor, NetworkDecorator {
    private static final int MIN_ROWS = 2;

    private final NoisePredictor network;
    private final Consumer<String> warnings;
    private int maxRows = Integer.MAX_VALUE;

    /// @param warnings called with a sentence when halving
    HalvedBatchFallback(NoisePredictor network, Consumer<String> warnings) {
        this.network = network;
        this.warnings = warnings;
    }

    @Override
    public NoisePredictor network() {
        return network;
    }

    @Override
    public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning, List<WeightedAdapter> adapters)
            throws Failure {
        int rows = timesteps.length;
        if (rows > maxRows) return predictInParts(latents, timesteps, conditioning, adapters);
        try {
            return network.predict(latents, timesteps, conditioning, adapters);
        } catch (Failure.OutOfMemory outOfMemory) {
            if (rows <= MIN_ROWS) throw outOfMemory;
            maxRows = Math.max(MIN_ROWS, rows / 2);
            warnings.accept("Not enough memory for the whole batch: it is halved from now on, with the same images.");
            return predict(latents, timesteps, conditioning, adapters);
        }
    }

    private Tensor predictInParts(Tensor latents, float[] timesteps, Conditioning conditioning,
            List<WeightedAdapter> adapters) throws Failure {
        List<Tensor> parts = new ArrayList<>();
        for (int from = 0; from < timesteps.length;) {
            int to = Math.min(from + maxRows, timesteps.length);
            parts.add(predict(latents.rows(from, to), Arrays.copyOfRange(timesteps, from, to),
                    conditioning.rows(from, to), adapters));
            from = to;
        }
        return Tensor.concatenate(parts.toArray(Tensor[]::new));
    }
}
