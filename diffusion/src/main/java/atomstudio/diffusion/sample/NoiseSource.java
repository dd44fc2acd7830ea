package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// Where standard normal noise comes from: the first latents, and a draw a step for the samplers that add noise on
/// their way.
@FunctionalInterface
public interface NoiseSource {
    /// Noise of a shape (B, C, H, W).
    Tensor draw(Shape shape);

    /// One generator a picture: row k is drawn by the generator of `seeds[k]`, so picture k is the same in any batch.
    static NoiseSource ofSeeds(long... seeds) {
        TorchRandom[] generators = Arrays.stream(seeds).mapToObj(TorchRandom::new).toArray(TorchRandom[]::new);
        return shape -> {
            if (shape.size(0) != generators.length) {
                throw new IllegalArgumentException(
                        "noise of shape " + shape + ": expected " + generators.length + " rows, one a seed");
            }
            return Tensor.concatenate(Arrays.stream(generators)
                    .map(generator -> generator.randn(shape.with(0, 1)))
                    .toArray(Tensor[]::new));
        };
    }
}
