package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.prompt.Tokens;
import atomstudio.diffusion.sample.Denoiser;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.Plan;
import atomstudio.diffusion.sample.Sampled;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// From prompt to picture with any engine: tokens, text encoder, sampler with guidance, decoder.
/// Each picture is made by itself, so that it can be made again alone. One thread at a time; does not own the engine.
public final class TextToImage {
    /// Embeddings that are kept: galleries ask for the same prompts for every row and seed.
    private static final int KEPT = 32;

    private final ModelFolder model;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Map<String, Tensor> embeddings = new LinkedHashMap<>(16, 0.75f, true) {
        @Override protected boolean removeEldestEntry(Map.Entry<String, Tensor> eldest) {
            return size() > KEPT;
        }
    };

    private TextToImage(ModelFolder model, Tokenizer tokenizer, Engine engine) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.engine = engine;
    }

    /// @throws Failure.Unreadable when the model's tokenizer is missing or damaged
    /// @throws Failure.Incompatible for an inpainting UNet, which needs more than a prompt
    public static TextToImage of(ModelFolder model, Engine engine) throws Failure {
        if (model.unet().channels().in() != model.vae().latentChannels()) {
            throw new Failure.Incompatible(model.folder() + ": its UNet has " + model.unet().channels().in() + " input channels; making pictures from a prompt alone needs "
                    + model.vae().latentChannels() + " (an inpainting model needs a picture and a mask, which is not built yet)");
        }
        return new TextToImage(model, Tokenizer.open(model.tokenizer()), engine);
    }

    public Tokenizer tokenizer() {
        return tokenizer;
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
        Plan plan = settings.sampler().forGeneration(model.scheduler(), settings.spaced(), settings.steps());
        int factor = model.vae().factor();
        NoiseSource noise = NoiseSource.ofSeeds(generation.seed());
        Tensor first = noise.draw(Shape.of(1, model.vae().latentChannels(), settings.height() / factor, settings.width() / factor));
        return plan.run(denoiser(generation), first, noise, listener);
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
        Guidance guidance = new Guidance(generation.settings().guidance());
        Tensor prompt = embed(generation.prompt().text());
        List<Applied> adapters = generation.adapters();
        if (!guidance.active()) return (latents, timestep) -> engine.predict(latents, new float[] {(float) timestep}, prompt, adapters);
        Tensor context = Tensor.stack(embed(generation.prompt().negative()), prompt);
        return (latents, timestep) -> {
            Tensor both = engine.predict(Tensor.stack(latents, latents), new float[] {(float) timestep, (float) timestep}, context, adapters);
            return guidance.combine(both.rows(0, 1), both.rows(1, 2));
        };
    }

    /// Embeds a prompt now, so that pictures of it need the text encoder no more.
    public void prepare(String text) throws Failure {
        embed(text);
    }

    private Tensor embed(String text) throws Failure {
        Tensor embedding = embeddings.get(text);
        if (embedding == null) {
            Tokens tokens = tokenizer.tokens(text);
            embedding = engine.encodeText(new int[][] {tokens.ids()});
            embeddings.put(text, embedding);
        }
        return embedding;
    }
}
