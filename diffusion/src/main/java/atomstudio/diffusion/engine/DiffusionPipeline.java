package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Generates images from prompts with any engine: tokenizer, text encoder, sampler with guidance, decoder. Images of a
/// batch equal those generated one at a time, except for rounding. Not thread-safe; does not own the engine.
public final class DiffusionPipeline {
    private final PromptEncoder promptEncoder;
    private final LatentSampler sampler;
    private final LatentSampling sampling;
    private final LatentDecoder decoder;

    /// @param sampling the sampler with its fallback
    private DiffusionPipeline(PromptEncoder promptEncoder, LatentSampler sampler, LatentSampling sampling,
            LatentDecoder decoder) {
        this.promptEncoder = promptEncoder;
        this.sampler = sampler;
        this.sampling = sampling;
        this.decoder = decoder;
    }

    /// @throws Failure.Unreadable if the model's tokenizer is missing or damaged
    public static DiffusionPipeline of(DiffusionModel model, Engine engine) throws Failure {
        return of(model, engine, warning -> {});
    }

    /// @param warnings called with a sentence for every fallback: tiled decoding, full precision,
    ///     half a batch, sliced attention
    public static DiffusionPipeline of(DiffusionModel model, Engine engine, Consumer<String> warnings) throws Failure {
        NoisePredictor halved = new HalvedBatchFallback(engine.noisePredictor(), warnings);
        NoisePredictor unet = engine.noisePredictor() instanceof SliceableAttention attention
                ? new SlicedAttentionFallback(halved, attention, warnings)
                : halved;
        Autoencoder vae = TiledDecodingFallback.around(engine.autoencoder(), model.vae(), warnings);
        FullPrecisionFallback fullPrecision = FullPrecisionFallback.of(engine.noisePredictor(), warnings);
        LatentSampler sampler = new LatentSampler(model, unet, vae);
        return new DiffusionPipeline(PromptEncoder.of(model, engine.textEncoder()), sampler,
                fullPrecision.around(sampler), new LatentDecoder(model.vae(), fullPrecision.around(vae)));
    }

    public PromptEncoder promptEncoder() {
        return promptEncoder;
    }

    /// Steps of all passes of a generation, as the listener counts them.
    /// @throws Failure.Incompatible for settings that do not fit together or the model
    public int stepCount(Generation generation) throws Failure {
        return sampler.stepCount(generation);
    }

    /// Generates one image; empty if the listener stopped sampling.
    /// @throws Failure.Diverged if the result has NaN or infinity, for example with far too high guidance
    public Optional<RgbImage> generate(Generation generation, StepListener listener) throws Failure {
        List<RgbImage> images = new ArrayList<>();
        generate(GenerationBatch.of(generation), listener, (row, image) -> images.add(image));
        return images.stream().findFirst();
    }

    /// Generates the images of a batch, decoded one after the other.
    /// @return false if the listener stopped sampling
    /// @throws Failure.Diverged if an image has NaN or infinity, after those before it
    public boolean generate(GenerationBatch batch, StepListener listener, ImageListener images) throws Failure {
        Optional<Tensor> latents = sampleLatents(batch, listener);
        if (latents.isEmpty()) return false;
        for (int row = 0; row < batch.size(); row++) {
            Tensor pixels = requireFinite(decode(requireFinite(latents.get().rows(row, row + 1))));
            images.onImage(row, restoreUnmasked(batch.generation(), RgbImage.fromTensor(pixels)));
        }
        return true;
    }

    /// Receives the images of a batch, each when it is decoded.
    @FunctionalInterface
    public interface ImageListener {
        /// @param row index of the seed
        void onImage(int row, RgbImage image) throws Failure;
    }

    private static Tensor requireFinite(Tensor tensor) throws Failure {
        if (tensor.isFinite()) return tensor;
        throw new Failure.Diverged(
                "sampling produced NaN or infinity; lower the guidance scale or the adapter weight, "
                        + "or check the model's weights");
    }

    /// The latents (1, 4, H/8, W/8) of an image, still multiplied by the scaling factor; empty if the listener stopped
    /// sampling.
    public Optional<Tensor> sampleLatents(Generation generation, StepListener listener) throws Failure {
        return sampleLatents(GenerationBatch.of(generation), listener);
    }

    Optional<Tensor> sampleLatents(GenerationBatch batch, StepListener listener) throws Failure {
        return sampling.sample(batch, ConditioningSchedule.of(batch.generation(), promptEncoder), listener);
    }

    /// Replaces the pixels outside the mask by the initial image.
    private static RgbImage restoreUnmasked(Generation generation, RgbImage generated) {
        if (!(generation.source() instanceof Source.FromImage init) || init.mask().isEmpty()) return generated;
        int width = generated.width();
        int height = generated.height();
        Mask mask = init.mask().get().cropAndResize(width, height);
        return mask.blend(init.image().cropAndResize(width, height), generated);
    }

    /// Sampled latents -> (1, 3, H, W), about -1..1.
    public Tensor decode(Tensor latents) throws Failure {
        return decoder.decode(latents);
    }
}
