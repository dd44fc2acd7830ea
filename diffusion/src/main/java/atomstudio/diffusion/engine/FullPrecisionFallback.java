package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;
import java.util.function.Consumer;

/// If a result has NaN or infinity and the UNet computes in half precision, switches it to full precision for good and
/// computes the result again. Sampling is repeated from its first step, so that all steps of an image have the same
/// precision and its seed makes it again.
/// @param warnings called with a sentence when switching
record FullPrecisionFallback(ReducedPrecision unet, Consumer<String> warnings) {
    /// For a UNet without half precision, never repeats anything.
    static FullPrecisionFallback of(NoisePredictor unet, Consumer<String> warnings) {
        return new FullPrecisionFallback(unet instanceof ReducedPrecision reduced ? reduced : () -> false, warnings);
    }

    LatentSampling around(LatentSampling sampling) {
        return (batch, conditioning, listener) -> {
            Optional<Tensor> result = sampling.sample(batch, conditioning, listener);
            return result.isPresent() && !result.get().isFinite() && switched()
                    ? sampling.sample(batch, conditioning, listener)
                    : result;
        };
    }

    Autoencoder around(Autoencoder autoencoder) {
        return new Decoding(autoencoder, this);
    }

    private boolean switched() {
        if (!unet.useFullPrecision()) return false;
        warnings.accept("Half precision produced NaN or infinity: repeating in full precision.");
        return true;
    }

    private record Decoding(Autoencoder network, FullPrecisionFallback fallback)
            implements Autoencoder, NetworkDecorator {
        @Override
        public LatentDistribution encode(Tensor images) throws Failure {
            return network.encode(images);
        }

        @Override
        public Tensor decode(Tensor latents) throws Failure {
            Tensor decoded = network.decode(latents);
            return decoded.isFinite() || !fallback.switched() ? decoded : network.decode(latents);
        }
    }
}
