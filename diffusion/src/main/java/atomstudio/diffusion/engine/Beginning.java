package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.model.ModelFolder;
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
/// @param begun latents to go on from, instead of the source's own
record Beginning(Source source, Painter.Size size, Optional<Begun> begun) {
    /// @param latents clean, multiplied by the scaling factor
    record Begun(Tensor latents, double denoise) {}

    /// What is walked of the plan, as the reference counts: min(⌊steps · denoise⌋, steps).
    static int steps(SamplingPlan plan, double denoise) throws Failure {
        int all = plan.schedule().size();
        if (!(denoise > 0 && denoise <= 1)) throw new Failure.Incompatible("denoise: expected above 0 to 1, found " + denoise);
        int steps = Math.min((int) (all * denoise), all);
        if (steps < 1) throw new Failure.Incompatible("denoise " + denoise + " of " + all + " steps leaves no step to do; take more steps or a larger denoise");
        return steps;
    }

    int steps(SamplingPlan plan) throws Failure {
        return steps(plan, denoise());
    }

    private double denoise() {
        if (begun.isPresent()) return begun.get().denoise;
        return switch (source) {
            case Source.FromNoise noise -> 1;
            case Source.FromPicture picture -> picture.denoise();
        };
    }

    Canvas canvas(ModelFolder model, Engine engine, SamplingPlan whole, NoiseSource random) throws Failure {
        SamplingPlan plan = whole.lastSteps(steps(whole));
        int seen = model.unet().channels().in();
        int own = model.vae().latentChannels();
        if (seen == own) return four(new Encoding(model, engine, random), plan, random);
        if (seen == 2 * own + 1) return nine(new Encoding(model, engine, random), plan, random);
        throw new Failure.Incompatible(model.folder() + ": its UNet has " + seen + " input channels; expected " + own + ", or " + (2 * own + 1) + " of an inpainting model");
    }

    private Canvas four(Encoding encoding, SamplingPlan plan, NoiseSource random) throws Failure {
        return switch (source) {
            case Source.FromNoise nothing -> {
                Tensor noise = random.draw(Painter.shape(encoding.model, size));
                yield new Canvas(plan, begun.map(on -> InitialLatents.noisedImage(on.latents, noise)).orElse(InitialLatents.pureNoise(noise)), Optional.empty(), Optional.empty());
            }
            case Source.FromPicture given -> {
                Tensor clean = given.mask().isEmpty() && begun.isPresent() ? begun.get().latents : encoding.of(pixels(encoding.model, given));
                Tensor noise = random.draw(clean.shape());
                if (given.mask().isEmpty()) yield new Canvas(plan, InitialLatents.noisedImage(clean, noise), Optional.empty(), Optional.empty());
                random.draw(clean.shape());
                Tensor mask = mask(encoding.model).latents(encoding.model.vae().factor());
                yield new Canvas(plan, start(clean, noise), Optional.of(new Canvas.Kept(clean, noise, mask)), Optional.empty());
            }
        };
    }

    /// A network of nine channels sees what is kept, so nothing is put back. Without a picture, or a mask, everything is to change.
    private Canvas nine(Encoding encoding, SamplingPlan plan, NoiseSource random) throws Failure {
        Mask mask = mask(encoding.model);
        Tensor pixels = switch (source) {
            case Source.FromNoise nothing -> mask.grey().toTensor();
            case Source.FromPicture given -> pixels(encoding.model, given);
        };
        boolean anew = begun.isEmpty() && denoise() == 1;
        Tensor clean = begun.isPresent() ? begun.get().latents : anew ? Tensor.zeros(Painter.shape(encoding.model, size)) : encoding.of(pixels);
        Tensor noise = random.draw(clean.shape());
        Tensor hidden = encoding.of(mask.hide(pixels));
        Tensor beside = Canvas.channels(mask.latents(encoding.model.vae().factor()), hidden);
        return new Canvas(plan, start(clean, noise), Optional.empty(), Optional.of(beside));
    }

    /// Within a mask, a denoise of 1 starts from pure noise, without the little of the picture that the first step's level would leave.
    private InitialLatents start(Tensor clean, Tensor noise) {
        if (begun.isPresent()) return InitialLatents.noisedImage(begun.get().latents, noise);
        return denoise() == 1 ? InitialLatents.pureNoise(noise) : InitialLatents.noisedImage(clean, noise);
    }

    private Mask mask(ModelFolder model) {
        int factor = model.vae().factor();
        Optional<Mask> given = source instanceof Source.FromPicture picture ? picture.mask() : Optional.empty();
        return given.map(mask -> mask.filling(size.width() * factor, size.height() * factor)).orElseGet(() -> Mask.white(size.width() * factor, size.height() * factor));
    }

    private Tensor pixels(ModelFolder model, Source.FromPicture given) {
        int factor = model.vae().factor();
        return given.picture().filling(size.width() * factor, size.height() * factor).toTensor();
    }

    /// Pictures to latents, drawn from what the autoencoder says of them.
    private record Encoding(ModelFolder model, Engine engine, NoiseSource random) {
        Tensor of(Tensor pixels) throws Failure {
            Tensor sample = engine.encode(pixels).sample(random);
            float by = (float) model.vae().scalingFactor();
            for (int i = 0; i < sample.data().length; i++) sample.data()[i] *= by;
            return sample;
        }
    }
}
