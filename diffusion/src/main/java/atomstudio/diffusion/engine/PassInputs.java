package atomstudio.diffusion.engine;

import atomstudio.diffusion.sample.InitialLatents;
import atomstudio.diffusion.sample.LatentCallback;
import atomstudio.diffusion.sample.NoiseLevel;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.Step;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// What one pass is sampled on.
/// @param plan    the steps that are walked
/// @param knownRegion    what is not to change, where something is to be put back after every step
/// @param inpaintConditioning  (1,C,h,w) that an inpainting network reads beside the latents: the mask and the masked picture's latents
record PassInputs(SamplingPlan plan, InitialLatents initialLatents, Optional<KnownRegion> knownRegion, Optional<Tensor> inpaintConditioning) {
    /// A picture's clean latents, the noise that the walk began with, and the mask (1,1,h,w), 0 where they are kept.
    record KnownRegion(Tensor latents, Tensor noise, Tensor mask) {
        /// Latents with a part of others in its place.
        Tensor pasteOnto(Tensor x, Tensor source) {
            int planeSize = mask.data().length;
            float[] mixed = new float[x.data().length];
            for (int i = 0; i < mixed.length; i++) mixed[i] = mask.data()[i % planeSize] == 0 ? source.data()[i] : x.data()[i];
            return new Tensor(x.shape(), mixed);
        }
    }

    /// Puts back what is kept, as noisy as the next step expects it, and clean after the last; inside a step of two calls, before the second.
    LatentCallback callback() {
        if (knownRegion.isEmpty()) return LatentCallback.none();
        KnownRegion region = knownRegion.get();
        List<Step> steps = plan.schedule().steps();
        return new LatentCallback() {
            @Override public Tensor onStepEnd(Step step, Tensor x) {
                int next = steps.indexOf(step) + 1;
                return next == steps.size() ? region.pasteOnto(x, region.latents) : onMidStep(steps.get(next).from(), x);
            }

            @Override public Tensor onMidStep(NoiseLevel level, Tensor x) {
                return region.pasteOnto(x, plan.schedule().parameterization().addNoise(region.latents, region.noise, level));
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
