package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseLevel;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.SamplingRun;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// The initial latents, mask and conditioning of one pass: text to image, img2img, inpainting, or the second pass of
/// hires fix. Noise is drawn in the order of diffusers' pipelines: the image's latents, the noise, the masked image's
/// latents. diffusers samples the latter for any network, even if unused, and later draws depend on it.
/// Source: Meng et al. 2022, "SDEdit", algorithm 1; Rombach et al. 2022, section 4.5 (inpainting models); for other
/// models the known region is restored after every step: Lugmayr et al. 2022, "RePaint", equation 8, without its
/// resampling.
///
/// @param upscaled the first pass's latents, in place of the source's
record LatentInit(Source source, LatentSampler.LatentSize size, Optional<UpscaledLatents> upscaled) {
    /// @param latents clean, multiplied by the scaling factor
    record UpscaledLatents(Tensor latents, double denoisingStrength) {}

    /// How many of the plan's steps are run, as in diffusers: min(⌊steps · strength⌋, steps).
    static int steps(SamplingPlan plan, double denoisingStrength) throws Failure {
        int planned = plan.steps().size();
        if (!(denoisingStrength > 0 && denoisingStrength <= 1))
            throw new Failure.Incompatible("denoising strength: expected above 0 to 1, found " + denoisingStrength);
        int steps = Math.min((int) (planned * denoisingStrength), planned);
        if (steps < 1)
            throw new Failure.Incompatible("denoising strength " + denoisingStrength + " of " + planned
                    + " steps leaves no step to run; use more steps or a higher strength");
        return steps;
    }

    int steps(SamplingPlan plan) throws Failure {
        return steps(plan, denoisingStrength());
    }

    private double denoisingStrength() {
        if (upscaled.isPresent()) return upscaled.get().denoisingStrength;
        return source instanceof Source.FromImage init ? init.denoisingStrength() : 1;
    }

    /// @param fullPlan all steps, of which the last ones are run
    PassInputs inputs(DiffusionModel model, Autoencoder autoencoder, SamplingPlan fullPlan, NoiseSource noiseSource)
            throws Failure {
        boolean isInpaintingModel = model.unet().channels().in() != model.vae().latentChannels();
        SamplingPlan plan = fullPlan.lastSteps(steps(fullPlan));
        LatentEncoder encoder = new LatentEncoder(model, autoencoder, noiseSource, size.images());
        int factor = model.vae().downsamplingFactor();
        int width = size.width() * factor;
        int height = size.height() * factor;
        Optional<Mask> mask = mask(width, height);
        if (isInpaintingModel && mask.isEmpty()) mask = Optional.of(Mask.white(width, height));
        boolean restoresKnownRegion = mask.isPresent() && !isInpaintingModel;
        boolean fromPureNoise = upscaled.isEmpty()
                && (source instanceof Source.FromNoise || mask.isPresent() && denoisingStrength() == 1);

        Tensor latents = upscaled.map(UpscaledLatents::latents)
                .orElseGet(() -> Tensor.zeros(LatentSampler.latentShape(model, size)));
        if (restoresKnownRegion || upscaled.isEmpty() && !fromPureNoise)
            latents = encoder.encode(pixels(width, height));
        Tensor noise = noiseSource.draw(latents.shape());
        Tensor initial = upscaled.map(UpscaledLatents::latents).orElse(latents);
        Tensor initialLatents = fromPureNoise ? plan.initialLatents(noise) : plan.initialLatents(initial, noise);
        if (mask.isEmpty()) return new PassInputs(plan, initialLatents, Optional.empty(), Optional.empty());

        Tensor latentMask = mask.get().toLatentMask(factor);
        if (restoresKnownRegion) {
            noiseSource.draw(latents.shape());
            PassInputs.KnownRegion region = new PassInputs.KnownRegion(latents, noise, latentMask);
            return new PassInputs(plan, initialLatents, Optional.of(region), Optional.empty());
        }
        Tensor maskedLatents = encoder.encode(mask.get().maskOut(pixels(width, height)));
        Tensor conditioning = PassInputs.concatChannels(latentMask.repeated(size.images()), maskedLatents);
        return new PassInputs(plan, initialLatents, Optional.empty(), Optional.of(conditioning));
    }

    private Optional<Mask> mask(int width, int height) {
        Optional<Mask> provided = source instanceof Source.FromImage init ? init.mask() : Optional.empty();
        return provided.map(mask -> mask.cropAndResize(width, height));
    }

    /// White without an image, as an inpainting model without a mask.
    private Tensor pixels(int width, int height) {
        return switch (source) {
            case Source.FromNoise none -> Mask.white(width, height).grayscale().toTensor();
            case Source.FromImage init -> init.image().cropAndResize(width, height).toTensor();
        };
    }

    /// Encodes an image to sampled latents of a batch, multiplied by the scaling factor.
    private record LatentEncoder(DiffusionModel model, Autoencoder autoencoder, NoiseSource noiseSource, int images) {
        Tensor encode(Tensor pixels) throws Failure {
            LatentDistribution distribution = autoencoder.encode(pixels).repeated(images);
            return distribution.sample(noiseSource).scaled((float) model.vae().scalingFactor());
        }
    }

    /// The inputs of one pass.
    /// @param plan the steps to run
    /// @param knownRegion restored after every step, if present
    /// @param inpaintConditioning (B, C, h, w), further input channels of an inpainting model: the mask and the masked
    ///     image's latents
    record PassInputs(SamplingPlan plan, Tensor initialLatents, Optional<KnownRegion> knownRegion,
            Optional<Tensor> inpaintConditioning) {
        /// An image's clean latents, the initial noise, and the mask (1, 1, h, w), 0 in the known region.
        record KnownRegion(Tensor latents, Tensor noise, Tensor mask) {
            /// Replaces the known region of `x`.
            Tensor pasteOnto(Tensor x, Tensor known) {
                int planeSize = mask.data().length;
                return Tensor.generate(x.shape(),
                        i -> mask.data()[i % planeSize] == 0 ? known.data()[i] : x.data()[i]);
            }
        }

        /// Restores the known region, noised to the next step's level, and clean after the last step; also before the
        /// second network call inside a step.
        SamplingRun.LatentCallback callback() {
            if (knownRegion.isEmpty()) return SamplingRun.LatentCallback.none();
            KnownRegion region = knownRegion.get();
            List<SamplingPlan.Step> steps = plan.steps();
            return new SamplingRun.LatentCallback() {
                @Override
                public Tensor onStepEnd(SamplingPlan.Step step, Tensor x) {
                    int next = steps.indexOf(step) + 1;
                    return next == steps.size() ? region.pasteOnto(x, region.latents)
                            : onMidStep(steps.get(next).from(), x);
                }

                @Override
                public Tensor onMidStep(NoiseLevel level, Tensor x) {
                    return region.pasteOnto(x,
                            plan.parameterization().addNoise(region.latents, region.noise, level));
                }
            };
        }

        /// The predicted x0 with the known region.
        Tensor composite(Tensor denoised) {
            return knownRegion.map(region -> region.pasteOnto(denoised, region.latents)).orElse(denoised);
        }

        /// The network's input for latents (B, C, h, w).
        Tensor modelInput(Tensor latents) {
            return inpaintConditioning.map(conditioning -> concatChannels(latents, conditioning)).orElse(latents);
        }

        /// (B, C, h, w), (B, D, h, w) -> (B, C+D, h, w).
        static Tensor concatChannels(Tensor a, Tensor b) {
            int rows = Math.toIntExact(a.shape().size(0));
            int rowA = a.data().length / rows;
            int rowB = b.data().length / rows;
            float[] both = new float[a.data().length + b.data().length];
            for (int i = 0; i < rows; i++) {
                System.arraycopy(a.data(), i * rowA, both, i * (rowA + rowB), rowA);
                System.arraycopy(b.data(), i * rowB, both, i * (rowA + rowB) + rowA, rowB);
            }
            return new Tensor(a.shape().with(1, a.shape().size(1) + b.shape().size(1)), both);
        }
    }
}
