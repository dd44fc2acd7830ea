package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;
import java.util.function.Consumer;

/// From prompt to picture with any engine: tokens, text encoder, sampler with guidance, decoder.
/// Each picture is made by itself, so that it can be made again alone. One thread at a time; does not own the engine.
public final class TextToImage {
    private final Engine engine;
    private final PromptEncoder prompts;
    private final Painter painter;
    private final Decoder decoder;

    private TextToImage(Engine engine, PromptEncoder prompts, Painter painter, Decoder decoder) {
        this.engine = engine;
        this.prompts = prompts;
        this.painter = painter;
        this.decoder = decoder;
    }

    /// @throws Failure.Unreadable when the model's tokenizer is missing or damaged
    public static TextToImage of(ModelFolder model, Engine engine) throws Failure {
        return of(model, engine, unheard -> {});
    }

    /// @param notes hears, in a sentence, when something was done another way than usual: decoded in tiles, made again in full precision
    public static TextToImage of(ModelFolder model, Engine engine, Consumer<String> notes) throws Failure {
        return new TextToImage(engine, PromptEncoder.of(model, engine), new Painter(model, engine, notes), new Decoder(model, engine, FreeMemory::bytes, notes));
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
        SamplingResult sampled = latents(generation, listener);
        if (sampled instanceof SamplingResult.Finished(Tensor latents) && !finite(latents) && widened()) sampled = latents(generation, listener);
        return switch (sampled) {
            case SamplingResult.Finished(Tensor latents) -> Optional.of(kept(generation, Picture.of(required(decode(required(latents))))));
            case SamplingResult.Cancelled cancelled -> Optional.empty();
        };
    }

    private static Tensor required(Tensor numbers) throws Failure {
        if (finite(numbers)) return numbers;
        throw new Failure.Diverged("the picture came out as no numbers (infinity or NaN); lower the guidance or the adapter's strength, or check the model's weights");
    }

    /// Whether there was half precision to leave.
    private boolean widened() throws Failure {
        if (engine.width() == Engine.Width.FULL) return false;
        decoder.notes().accept("Half precision left the numbers (infinity or NaN): made again in full precision.");
        engine.widen();
        return true;
    }

    /// The latents (1,4,H/8,W/8) that a picture is decoded from, still multiplied by the scaling factor.
    public SamplingResult latents(Generation generation, StepListener listener) throws Failure {
        return painter.paint(generation, Script.of(generation, prompts), listener);
    }

    /// Outside a mask, the pixels of the given picture.
    private static Picture kept(Generation generation, Picture made) {
        if (!(generation.source() instanceof Source.FromPicture given) || given.mask().isEmpty()) return made;
        return given.mask().get().filling(made.width(), made.height()).blend(given.picture().filling(made.width(), made.height()), made);
    }

    private static boolean finite(Tensor tensor) {
        for (float number : tensor.data()) if (!Float.isFinite(number)) return false;
        return true;
    }

    /// Latents as sampled -> (1,3,H,W), about -1..1.
    public Tensor decode(Tensor latents) throws Failure {
        Tensor decoded = decoder.decode(latents);
        return finite(decoded) || !widened() ? decoded : decoder.decode(latents);
    }
}
