package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.sample.InitialLatents;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// How a pass begins: its canvas, with noise drawn in the reference's order, the picture's latents first, then the noise, then the masked
/// picture's latents. The reference encodes the masked picture for any network and samples its latents even where nothing reads them; the
/// draws after it follow.
/// Source: Meng et al. 2022, "SDEdit", algorithm 1; Rombach et al. 2022, section 4.5 (inpainting with a network of its own); for a network of four
/// channels what is kept is put back after every step: Lugmayr et al. 2022, "RePaint", equation 8, without its resampling.
///
/// @param upscaled latents to go on from, instead of the source's own
record LatentInit(Source source, LatentSampler.LatentSize size, Optional<UpscaledLatents> upscaled) {
    /// @param latents clean, multiplied by the scaling factor
    record UpscaledLatents(Tensor latents, double denoisingStrength) {}

    /// What is walked of the plan, as the reference counts: min(⌊steps · denoise⌋, steps).
    static int steps(SamplingPlan plan, double denoisingStrength) throws Failure {
        int planned = plan.schedule().size();
        if (!(denoisingStrength > 0 && denoisingStrength <= 1)) throw new Failure.Incompatible("denoise: expected above 0 to 1, found " + denoisingStrength);
        int steps = Math.min((int) (planned * denoisingStrength), planned);
        if (steps < 1) throw new Failure.Incompatible("denoise " + denoisingStrength + " of " + planned + " steps leaves no step to do; take more steps or a larger denoise");
        return steps;
    }

    int steps(SamplingPlan plan) throws Failure {
        return steps(plan, denoisingStrength());
    }

    private double denoisingStrength() {
        if (upscaled.isPresent()) return upscaled.get().denoisingStrength;
        return switch (source) {
            case Source.FromNoise none -> 1;
            case Source.FromImage init -> init.denoisingStrength();
        };
    }

    PassInputs inputs(DiffusionModel model, Engine engine, SamplingPlan fullPlan, NoiseSource noiseSource) throws Failure {
        SamplingPlan plan = fullPlan.lastSteps(steps(fullPlan));
        int inputChannels = model.unet().channels().in();
        int latentChannels = model.vae().latentChannels();
        if (inputChannels == latentChannels) return plainInputs(new LatentEncoder(model, engine, noiseSource), plan, noiseSource);
        if (inputChannels == 2 * latentChannels + 1) return inpaintingModelInputs(new LatentEncoder(model, engine, noiseSource), plan, noiseSource);
        throw new Failure.Incompatible(model.path() + ": its UNet has " + inputChannels + " input channels; expected " + latentChannels + ", or " + (2 * latentChannels + 1) + " of an inpainting model");
    }

    private PassInputs plainInputs(LatentEncoder encoding, SamplingPlan plan, NoiseSource noiseSource) throws Failure {
        return switch (source) {
            case Source.FromNoise none -> {
                Tensor noise = noiseSource.draw(LatentSampler.latentShape(encoding.model, size));
                yield new PassInputs(plan, upscaled.map(firstPass -> InitialLatents.noisedImage(firstPass.latents, noise)).orElse(InitialLatents.pureNoise(noise)), Optional.empty(), Optional.empty());
            }
            case Source.FromImage init -> {
                Tensor latents = init.mask().isEmpty() && upscaled.isPresent() ? upscaled.get().latents : encoding.encode(pixels(encoding.model, init));
                Tensor noise = noiseSource.draw(latents.shape());
                if (init.mask().isEmpty()) yield new PassInputs(plan, InitialLatents.noisedImage(latents, noise), Optional.empty(), Optional.empty());
                noiseSource.draw(latents.shape());
                Tensor mask = mask(encoding.model).toLatentMask(encoding.model.vae().downsamplingFactor());
                yield new PassInputs(plan, initialLatents(latents, noise), Optional.of(new PassInputs.KnownRegion(latents, noise, mask)), Optional.empty());
            }
        };
    }

    /// A network of nine channels sees what is kept, so nothing is put back. Without a picture, or a mask, everything is to change.
    private PassInputs inpaintingModelInputs(LatentEncoder encoding, SamplingPlan plan, NoiseSource noiseSource) throws Failure {
        Mask mask = mask(encoding.model);
        Tensor pixels = switch (source) {
            case Source.FromNoise none -> mask.grey().toTensor();
            case Source.FromImage init -> pixels(encoding.model, init);
        };
        boolean fromPureNoise = upscaled.isEmpty() && denoisingStrength() == 1;
        Tensor latents = upscaled.isPresent() ? upscaled.get().latents : fromPureNoise ? Tensor.zeros(LatentSampler.latentShape(encoding.model, size)) : encoding.encode(pixels);
        Tensor noise = noiseSource.draw(latents.shape());
        Tensor maskedLatents = encoding.encode(mask.maskOut(pixels));
        Tensor inpaintConditioning = PassInputs.concatChannels(mask.toLatentMask(encoding.model.vae().downsamplingFactor()), maskedLatents);
        return new PassInputs(plan, initialLatents(latents, noise), Optional.empty(), Optional.of(inpaintConditioning));
    }

    /// Within a mask, a denoise of 1 starts from pure noise, without the little of the picture that the first step's level would leave.
    private InitialLatents initialLatents(Tensor latents, Tensor noise) {
        if (upscaled.isPresent()) return InitialLatents.noisedImage(upscaled.get().latents, noise);
        return denoisingStrength() == 1 ? InitialLatents.pureNoise(noise) : InitialLatents.noisedImage(latents, noise);
    }

    private Mask mask(DiffusionModel model) {
        int factor = model.vae().downsamplingFactor();
        Optional<Mask> provided = source instanceof Source.FromImage init ? init.mask() : Optional.empty();
        return provided.map(mask -> mask.cropAndResize(size.width() * factor, size.height() * factor)).orElseGet(() -> Mask.white(size.width() * factor, size.height() * factor));
    }

    private Tensor pixels(DiffusionModel model, Source.FromImage init) {
        int factor = model.vae().downsamplingFactor();
        return init.image().cropAndResize(size.width() * factor, size.height() * factor).toTensor();
    }

    /// Pictures to latents, drawn from what the autoencoder says of them.
    private record LatentEncoder(DiffusionModel model, Engine engine, NoiseSource noiseSource) {
        Tensor encode(Tensor pixels) throws Failure {
            Tensor sample = engine.encode(pixels).sample(noiseSource);
            float scalingFactor = (float) model.vae().scalingFactor();
            for (int i = 0; i < sample.data().length; i++) sample.data()[i] *= scalingFactor;
            return sample;
        }
    }
}
