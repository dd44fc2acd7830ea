package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Placeholder;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// From prompt to picture with any engine: tokens, text encoder, sampler with guidance, decoder.
/// Each picture is made by itself, so that it can be made again alone. One thread at a time; does not own the engine.
public final class TextToImage {
    /// Embeddings that are kept: galleries ask for the same prompts for every row and seed.
    private static final int KEPT = 32;

    private final ModelFolder model;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Reach reach;
    private final Map<Embedded, Tensor> embeddings = new LinkedHashMap<>(16, 0.75f, true) {
        @Override protected boolean removeEldestEntry(Map.Entry<Embedded, Tensor> eldest) {
            return size() > KEPT;
        }
    };

    /// Everything that decides an embedding.
    private record Embedded(String text, List<Voice> voices) {}

    /// What an adapter does to the text encoder, and how strongly.
    private record Voice(Adaptation form, String hash, Optional<Placeholder> placeholder, double strength) {
        static Voice of(Applied applied) {
            return new Voice(applied.adapter().form(), applied.adapter().hash(), applied.adapter().placeholder(), applied.strength());
        }
    }

    private TextToImage(ModelFolder model, Tokenizer tokenizer, Engine engine) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.engine = engine;
        this.reach = Reach.of(model);
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

    /// The tokenizer that prompts are read with under these adapters: each placeholder stands for the ids of the rows that its adapter
    /// appends to the text encoder's table.
    /// @throws Failure.Incompatible when two adapters answer to the same word
    public Tokenizer tokenizer(List<Applied> adapters) throws Failure {
        Tokenizer with = tokenizer;
        int next = model.text().vocabulary();
        List<Adapter> before = new ArrayList<>();
        for (Applied applied : reach.onText(adapters)) {
            Adapter adapter = applied.adapter();
            if (adapter.placeholder().isEmpty()) continue;
            Placeholder placeholder = adapter.placeholder().get();
            for (Adapter other : before) refuseEqual(other, adapter);
            try {
                with = with.with(placeholder.word(), IntStream.range(next, next + placeholder.rows()).boxed().toList());
            } catch (IllegalArgumentException e) {
                throw new Failure.Incompatible("adapter " + adapter.name() + ": its word cannot be used with " + model.name() + ": " + e.getMessage());
            }
            next += placeholder.rows();
            before.add(adapter);
        }
        return with;
    }

    private static void refuseEqual(Adapter one, Adapter other) throws Failure {
        String word = other.placeholder().orElseThrow().word();
        if (Tokenizer.alike(one.placeholder().orElseThrow().word(), word)) {
            throw new Failure.Incompatible("adapters " + one.name() + " and " + other.name() + " both stand for the word \"" + word + "\"; expected words of their own: use one of them, or tune one again with another --token");
        }
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
        List<Applied> adapters = generation.adapters();
        Tensor prompt = embed(generation.prompt().text(), adapters);
        if (!guidance.active()) return (latents, timestep) -> engine.predict(latents, new float[] {(float) timestep}, prompt, adapters);
        Tensor context = Tensor.stack(embed(generation.prompt().negative(), adapters), prompt);
        return (latents, timestep) -> {
            Tensor both = engine.predict(Tensor.stack(latents, latents), new float[] {(float) timestep, (float) timestep}, context, adapters);
            return guidance.combine(both.rows(0, 1), both.rows(1, 2));
        };
    }

    /// Embeds a prompt now, so that pictures of it under these adapters need the text encoder no more.
    public void prepare(String text, List<Applied> adapters) throws Failure {
        embed(text, adapters);
    }

    private Tensor embed(String text, List<Applied> adapters) throws Failure {
        List<Applied> speaking = reach.onText(adapters);
        Embedded key = new Embedded(text, speaking.stream().map(Voice::of).toList());
        Tensor embedding = embeddings.get(key);
        if (embedding == null) {
            Tokens tokens = tokenizer(speaking).tokens(text);
            embedding = engine.encodeText(new int[][] {tokens.ids()}, speaking);
            embeddings.put(key, embedding);
        }
        return embedding;
    }
}
