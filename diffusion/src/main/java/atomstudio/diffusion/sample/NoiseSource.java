package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;

/// Draws standard normal noise: the initial noise, and fresh noise for samplers that add it.
@FunctionalInterface
public interface NoiseSource {
    /// Noise of a shape (B, C, H, W).
    Tensor draw(Shape shape);

    /// One generator per image: row k is drawn from `seeds[k]`, so image k is the same in any batch.
    static NoiseSource ofSeeds(long... seeds) {
        TorchRandom[] generators = Arrays.stream(seeds).mapToObj(TorchRandom::new).toArray(TorchRandom[]::new);
        return shape -> {
            if (shape.size(0) != generators.length) {
                throw new IllegalArgumentException(
                        "noise of shape " + shape + ": expected " + generators.length + " rows, one per seed");
            }
            return Tensor.concatenate(Arrays.stream(generators)
                    .map(generator -> generator.randn(shape.with(0, 1)))
                    .toArray(Tensor[]::new));
        };
    }
}
