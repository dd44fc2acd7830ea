package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseLevel;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.SamplingRun;
import atomstudio.diffusion.sample.Schedule;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// How a pass begins: its canvas, with noise drawn in the reference's order, the picture's latents first, then the
/// noise, then the masked picture's latents. The reference encodes the masked picture for any network and samples its
/// latents even where nothing reads them; the draws after it follow.
/// Source: Meng et al. 2022, "SDEdit", algorithm 1; Rombach et al. 2022, section 4.5 (inpainting with a network of
/// its own); for a network of four channels what is kept is put back after every step: Lugmayr et al. 2022,
/// "RePaint", equation 8, without its resampling.
///
/// @param upscaled latents to go on from, instead of the source's own
record LatentInit(Source source, LatentSampler.LatentSize size, Optional<UpscaledLatents> upscaled) {
    /// @param latents clean, multiplied by the scaling factor
    record UpscaledLatents(Tensor latents, double denoisingStrength) {}

    /// What is walked of the plan, as the reference counts: min(⌊steps · denoise⌋, steps).
    static int steps(SamplingPlan plan, double denoisingStrength) throws Failure {
        int planned = plan.schedule().size();
        if (!(denoisingStrength > 0 && denoisingStrength <= 1))
            throw new Failure.Incompatible("denoise: expected above 0 to 1, found " + denoisingStrength);
        int steps = Math.min((int) (planned * denoisingStrength), planned);
        if (steps < 1)
            throw new Failure.Incompatible("denoise " + denoisingStrength + " of " + planned
                    + " steps leaves no step to do; take more steps or a larger denoise");
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

    PassInputs inputs(DiffusionModel model, Engine engine, SamplingPlan fullPlan, NoiseSource noiseSource)
            throws Failure {
        SamplingPlan plan = fullPlan.lastSteps(steps(fullPlan));
        int inputChannels = model.unet().channels().in();
        int latentChannels = model.vae().latentChannels();
        if (inputChannels == latentChannels)
            return plainInputs(new LatentEncoder(model, engine, noiseSource), plan, noiseSource);
        if (inputChannels == 2 * latentChannels + 1)
            return inpaintingModelInputs(new LatentEncoder(model, engine, noiseSource), plan, noiseSource);
        throw new Failure.Incompatible(model.path() + ": its UNet has " + inputChannels + " input channels; expected "
                + latentChannels + ", or " + (2 * latentChannels + 1) + " of an inpainting model");
    }

    private PassInputs plainInputs(LatentEncoder encoding, SamplingPlan plan, NoiseSource noiseSource) throws Failure {
        return switch (source) {
            case Source.FromNoise none -> {
                Tensor noise = noiseSource.draw(LatentSampler.latentShape(encoding.model, size));
                yield new PassInputs(plan,
                        upscaled.map(firstPass -> SamplingRun.InitialLatents.noisedImage(firstPass.latents, noise))
                                .orElse(SamplingRun.InitialLatents.pureNoise(noise)),
                        Optional.empty(), Optional.empty());
            }
            case Source.FromImage init -> {
                Tensor latents = init.mask().isEmpty() && upscaled.isPresent() ? upscaled.get().latents
                        : encoding.encode(pixels(encoding.model, init));
                Tensor noise = noiseSource.draw(latents.shape());
                if (init.mask().isEmpty())
                    yield new PassInputs(plan, SamplingRun.InitialLatents.noisedImage(latents, noise), Optional.empty(),
                            Optional.empty());
                noiseSource.draw(latents.shape());
                Tensor mask = mask(encoding.model).toLatentMask(encoding.model.vae().downsamplingFactor());
                yield new PassInputs(plan, initialLatents(latents, noise),
                        Optional.of(new PassInputs.KnownRegion(latents, noise, mask)), Optional.empty());
            }
        };
    }

    /// A network of nine channels sees what is kept, so nothing is put back. Without a picture, or a mask, everything
    /// is to change.
    private PassInputs inpaintingModelInputs(LatentEncoder encoding, SamplingPlan plan, NoiseSource noiseSource)
            throws Failure {
        Mask mask = mask(encoding.model);
        Tensor pixels = switch (source) {
            case Source.FromNoise none -> mask.grayscale().toTensor();
            case Source.FromImage init -> pixels(encoding.model, init);
        };
        boolean fromPureNoise = upscaled.isEmpty() && denoisingStrength() == 1;
        Tensor latents = upscaled.isPresent() ? upscaled.get().latents
                : fromPureNoise ? Tensor.zeros(LatentSampler.latentShape(encoding.model, size))
                : encoding.encode(pixels);
        Tensor noise = noiseSource.draw(latents.shape());
        Tensor maskedLatents = encoding.encode(mask.maskOut(pixels));
        Tensor inpaintConditioning = PassInputs
                .concatChannels(mask.toLatentMask(encoding.model.vae().downsamplingFactor()), maskedLatents);
        return new PassInputs(plan, initialLatents(latents, noise), Optional.empty(), Optional.of(inpaintConditioning));
    }

    /// Within a mask, a denoise of 1 starts from pure noise, without the little of the picture that the first step's
    /// level would leave.
    private SamplingRun.InitialLatents initialLatents(Tensor latents, Tensor noise) {
        if (upscaled.isPresent()) return SamplingRun.InitialLatents.noisedImage(upscaled.get().latents, noise);
        return denoisingStrength() == 1 ? SamplingRun.InitialLatents.pureNoise(noise)
                : SamplingRun.InitialLatents.noisedImage(latents, noise);
    }

    private Mask mask(DiffusionModel model) {
        int factor = model.vae().downsamplingFactor();
        Optional<Mask> provided = source instanceof Source.FromImage init ? init.mask() : Optional.empty();
        return provided.map(mask -> mask.cropAndResize(size.width() * factor, size.height() * factor))
                .orElseGet(() -> Mask.white(size.width() * factor, size.height() * factor));
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

    /// What one pass is sampled on.
    /// @param plan    the steps that are walked
    /// @param knownRegion    what is not to change, where something is to be put back after every step
    /// @param inpaintConditioning (1,C,h,w) that an inpainting network reads beside the latents: the mask and the
    ///     masked picture's latents
    record PassInputs(SamplingPlan plan, SamplingRun.InitialLatents initialLatents, Optional<KnownRegion> knownRegion,
            Optional<Tensor> inpaintConditioning) {
        /// A picture's clean latents, the noise that the walk began with, and the mask (1,1,h,w), 0 where they are
        /// kept.
        record KnownRegion(Tensor latents, Tensor noise, Tensor mask) {
            /// Latents with a part of others in its place.
            Tensor pasteOnto(Tensor x, Tensor source) {
                int planeSize = mask.data().length;
                float[] mixed = new float[x.data().length];
                for (int i = 0; i < mixed.length; i++)
                    mixed[i] = mask.data()[i % planeSize] == 0 ? source.data()[i] : x.data()[i];
                return new Tensor(x.shape(), mixed);
            }
        }

        /// Puts back what is kept, as noisy as the next step expects it, and clean after the last; inside a step of
        /// two calls, before the second.
        SamplingRun.LatentCallback callback() {
            if (knownRegion.isEmpty()) return SamplingRun.LatentCallback.none();
            KnownRegion region = knownRegion.get();
            List<Schedule.Step> steps = plan.schedule().steps();
            return new SamplingRun.LatentCallback() {
                @Override
                public Tensor onStepEnd(Schedule.Step step, Tensor x) {
                    int next = steps.indexOf(step) + 1;
                    return next == steps.size() ? region.pasteOnto(x, region.latents)
                            : onMidStep(steps.get(next).from(), x);
                }

                @Override
                public Tensor onMidStep(NoiseLevel level, Tensor x) {
                    return region.pasteOnto(x,
                            plan.schedule().parameterization().addNoise(region.latents, region.noise, level));
                }
            };
        }

        /// What the network sees in the noise, with what is kept.
        Tensor composite(Tensor denoised) {
            return knownRegion.map(region -> region.pasteOnto(denoised, region.latents)).orElse(denoised);
        }

        /// Latents (1,4,h,w) as the network wants to see them.
        Tensor modelInput(Tensor latents) {
            return inpaintConditioning.map(conditioning -> concatChannels(latents, conditioning)).orElse(latents);
        }

        /// Channels of both (1,A,h,w), (1,B,h,w) -> (1,A+B,h,w).
        static Tensor concatChannels(Tensor a, Tensor b) {
            float[] both = new float[a.data().length + b.data().length];
            System.arraycopy(a.data(), 0, both, 0, a.data().length);
            System.arraycopy(b.data(), 0, both, a.data().length, b.data().length);
            return new Tensor(a.shape().with(1, a.shape().size(1) + b.shape().size(1)), both);
        }
    }
}
