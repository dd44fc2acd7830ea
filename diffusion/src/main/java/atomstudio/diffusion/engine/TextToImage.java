package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.Sampled;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// From prompt to picture with any engine: tokens, text encoder, sampler with guidance, decoder.
/// Each picture is made by itself, so that it can be made again alone. One thread at a time; does not own the engine.
public final class TextToImage {
    private final ModelFolder model;
    private final Engine engine;
    private final PromptEncoder prompts;
    private final Painter painter;

    private TextToImage(ModelFolder model, Engine engine, PromptEncoder prompts) {
        this.model = model;
        this.engine = engine;
        this.prompts = prompts;
        this.painter = new Painter(model, engine);
    }

    /// @throws Failure.Unreadable when the model's tokenizer is missing or damaged
    public static TextToImage of(ModelFolder model, Engine engine) throws Failure {
        return new TextToImage(model, engine, PromptEncoder.of(model, engine));
    }

    /// How this pipeline reads prompts.
    public PromptEncoder prompts() {
        return prompts;
    }

    /// How many steps a generation takes, all passes together: what a listener counts up to.
    /// @throws Failure.Incompatible for a generation that does not fit together or to this model
    public int steps(Generation generation) throws Failure {
        return painter.steps(generation);
    }

    /// Makes one picture; empty when the listener said stop.
    /// @throws Failure.Diverged when the latents leave the numbers, as with guidance or strength far too high
    public Optional<Picture> picture(Generation generation, StepListener listener) throws Failure {
        return switch (latents(generation, listener)) {
            case Sampled.Finished finished -> Optional.of(kept(generation, Picture.of(decode(finite(finished.latents())))));
            case Sampled.Cancelled cancelled -> Optional.empty();
        };
    }

    /// The latents (1,4,H/8,W/8) that a picture is decoded from, still multiplied by the scaling factor.
    public Sampled latents(Generation generation, StepListener listener) throws Failure {
        return painter.paint(generation, prompts.contexts(generation.prompt(), generation.settings().clipSkip(), generation.adapters()), listener);
    }

    /// Outside a mask, the pixels of the given picture.
    private static Picture kept(Generation generation, Picture made) {
        if (!(generation.source() instanceof Source.FromPicture given) || given.mask().isEmpty()) return made;
        return given.mask().get().filling(made.width(), made.height()).blend(given.picture().filling(made.width(), made.height()), made);
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
}
