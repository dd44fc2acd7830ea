package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;
import java.util.function.Consumer;

/// From prompt to picture with any engine: tokens, text encoder, sampler with guidance, decoder.
/// Each picture is made by itself, so that it can be made again alone. One thread at a time; does not own the engine.
public final class DiffusionPipeline {
    private final Engine engine;
    private final PromptEncoder promptEncoder;
    private final LatentSampler sampler;
    private final LatentDecoder decoder;

    private DiffusionPipeline(Engine engine, PromptEncoder promptEncoder, LatentSampler sampler,
            LatentDecoder decoder) {
        this.engine = engine;
        this.promptEncoder = promptEncoder;
        this.sampler = sampler;
        this.decoder = decoder;
    }

    /// @throws Failure.Unreadable when the model's tokenizer is missing or damaged
    public static DiffusionPipeline of(DiffusionModel model, Engine engine) throws Failure {
        return of(model, engine, ignored -> {});
    }

    /// @param warnings hears, in a sentence, when something was done another way than usual: decoded in tiles, made
    ///     again in full precision
    public static DiffusionPipeline of(DiffusionModel model, Engine engine, Consumer<String> warnings) throws Failure {
        return new DiffusionPipeline(engine, PromptEncoder.of(model, engine),
                new LatentSampler(model, engine, warnings),
                new LatentDecoder(model, engine, LatentDecoder.AvailableMemory::bytes, warnings));
    }

    /// How this pipeline reads prompts.
    public PromptEncoder promptEncoder() {
        return promptEncoder;
    }

    /// How many steps a generation takes, all passes together: what a listener counts up to.
    /// @throws Failure.Incompatible for a generation that does not fit together or to this model
    public int stepCount(Generation generation) throws Failure {
        return sampler.stepCount(generation);
    }

    /// Makes one picture; empty when the listener said stop.
    /// @throws Failure.Diverged when the latents leave the numbers, as with guidance or strength far too high
    public Optional<RgbImage> generate(Generation generation, StepListener listener) throws Failure {
        SamplingResult result = sampleLatents(generation, listener);
        if (result instanceof SamplingResult.Finished(Tensor latents) && !isFinite(latents) && switchToFullPrecision())
            result = sampleLatents(generation, listener);
        return switch (result) {
            case SamplingResult.Finished(Tensor latents) -> Optional.of(
                    restoreUnmasked(generation, RgbImage.fromTensor(requireFinite(decode(requireFinite(latents))))));
            case SamplingResult.Cancelled cancelled -> Optional.empty();
        };
    }

    private static Tensor requireFinite(Tensor tensor) throws Failure {
        if (isFinite(tensor)) return tensor;
        throw new Failure.Diverged(
                "the picture came out as no numbers (infinity or NaN); lower the guidance or the adapter's strength, or check the model's weights");
    }

    /// Whether there was half precision to leave.
    private boolean switchToFullPrecision() throws Failure {
        if (engine.precision() == Engine.ComputePrecision.FULL) return false;
        decoder.warnings().accept("Half precision left the numbers (infinity or NaN): made again in full precision.");
        engine.useFullPrecision();
        return true;
    }

    /// The latents (1,4,H/8,W/8) that a picture is decoded from, still multiplied by the scaling factor.
    public SamplingResult sampleLatents(Generation generation, StepListener listener) throws Failure {
        return sampler.sample(generation, ConditioningSchedule.of(generation, promptEncoder), listener);
    }

    /// Outside a mask, the pixels of the given picture.
    private static RgbImage restoreUnmasked(Generation generation, RgbImage generated) {
        if (!(generation.source() instanceof Source.FromImage init) || init.mask().isEmpty()) return generated;
        return init.mask()
                .get()
                .cropAndResize(generated.width(), generated.height())
                .blend(init.image().cropAndResize(generated.width(), generated.height()), generated);
    }

    private static boolean isFinite(Tensor tensor) {
        for (float value : tensor.data()) if (!Float.isFinite(value)) return false;
        return true;
    }

    /// Latents as sampled -> (1,3,H,W), about -1..1.
    public Tensor decode(Tensor latents) throws Failure {
        Tensor decoded = decoder.decode(latents);
        return isFinite(decoded) || !switchToFullPrecision() ? decoded : decoder.decode(latents);
    }
}
