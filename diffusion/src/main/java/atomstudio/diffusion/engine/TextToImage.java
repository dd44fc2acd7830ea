package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.Denoiser;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.Plan;
import atomstudio.diffusion.sample.Sampled;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.sample.Walk;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// From prompt to picture with any engine: tokens, text encoder, sampler with guidance, decoder.
/// Each picture is made by itself, so that it can be made again alone. One thread at a time; does not own the engine.
public final class TextToImage {
    private final ModelFolder model;
    private final Engine engine;
    private final PromptEncoder prompts;

    private TextToImage(ModelFolder model, Engine engine, PromptEncoder prompts) {
        this.model = model;
        this.engine = engine;
        this.prompts = prompts;
    }

    /// @throws Failure.Unreadable when the model's tokenizer is missing or damaged
    /// @throws Failure.Incompatible for an inpainting UNet, which needs more than a prompt
    public static TextToImage of(ModelFolder model, Engine engine) throws Failure {
        if (model.unet().channels().in() != model.vae().latentChannels()) {
            throw new Failure.Incompatible(model.folder() + ": its UNet has " + model.unet().channels().in() + " input channels; making pictures from a prompt alone needs "
                    + model.vae().latentChannels() + " (an inpainting model needs a picture and a mask, which is not built yet)");
        }
        return new TextToImage(model, engine, PromptEncoder.of(model, engine));
    }

    /// How this pipeline reads prompts.
    public PromptEncoder prompts() {
        return prompts;
    }

    /// Makes one picture; empty when the listener said stop.
    /// @throws Failure.Diverged when the latents leave the numbers, as with guidance or strength far too high
    public Optional<Picture> picture(Generation generation, StepListener listener) throws Failure {
        return switch (latents(generation, listener)) {
            case Sampled.Finished finished -> Optional.of(Picture.of(decode(finite(finished.latents()))));
            case Sampled.Cancelled cancelled -> Optional.empty();
        };
    }

    /// The latents (1,4,H/8,W/8) that a picture is decoded from, still multiplied by the scaling factor.
    public Sampled latents(Generation generation, StepListener listener) throws Failure {
        Settings settings = generation.settings();
        Optional<String> problem = model.sizeProblem(settings.width(), settings.height());
        if (problem.isPresent()) throw new Failure.Incompatible(problem.get());
        Plan plan = settings.sampling().plan(model.scheduler());
        int factor = model.vae().factor();
        NoiseSource noise = NoiseSource.ofSeeds(generation.seed());
        Tensor first = noise.draw(Shape.of(1, model.vae().latentChannels(), settings.height() / factor, settings.width() / factor));
        return plan.run(Walk.fromNoise(denoiser(generation), first, noise).heardBy(listener));
    }

    private static Tensor finite(Tensor latents) throws Failure {
        for (float number : latents.data()) {
            if (!Float.isFinite(number)) {
                throw new Failure.Diverged("the picture came out as no numbers (infinity or NaN); lower the guidance or the adapter's strength, or check the model's weights");
            }
        }
        return latents;
    }

    /// Latents as sampled -> (1,3,H,W), about -1..1.
    public Tensor decode(Tensor latents) throws Failure {
        Tensor scaled = Tensor.zeros(latents.shape());
        float by = (float) model.vae().scalingFactor();
        for (int i = 0; i < scaled.data().length; i++) scaled.data()[i] = latents.data()[i] / by;
        return engine.decode(scaled);
    }

    /// With guidance, both prompts go through the network together, as one batch of two.
    private Denoiser denoiser(Generation generation) throws Failure {
        Guidance guidance = generation.settings().guidance();
        List<Applied> adapters = generation.adapters();
        PromptEncoder.Contexts contexts = prompts.contexts(generation.prompt(), generation.settings().clipSkip(), adapters);
        if (!guidance.active()) return (latents, timestep) -> engine.predict(latents, new float[] {(float) timestep}, contexts.prompt(), adapters);
        Tensor context = Tensor.stack(contexts.negative(), contexts.prompt());
        return (latents, timestep) -> {
            Tensor both = engine.predict(Tensor.stack(latents, latents), new float[] {(float) timestep, (float) timestep}, context, adapters);
            return guidance.combine(both.rows(0, 1), both.rows(1, 2));
        };
    }
}
