package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;

/// Whole pictures of a reference pipeline: metadata `case` says how they were made, `noise`, `latents` and `pixels`
/// what came of it.
public final class ImageGolden {
    static final int MAX_SIDE = 4096;
    private static final double NOISE_TOLERANCE = 2e-6;
    private static final double LATENTS_TOLERANCE = 1e-3;
    /// Root mean square error of the 8-bit picture at a peak signal-to-noise ratio of 40 dB.
    private static final double RMSE_TOLERANCE = 255 / Math.pow(10, 40 / 20.0);

    private ImageGolden() {}

    public static boolean recognizes(SafetensorsFile file) {
        return file.metadata().containsKey("case")
                && file.tensors().keySet().containsAll(List.of("noise", "latents", "pixels"));
    }

    /// Makes each picture of the case by itself and compares.
    /// @throws Failure.NotBuilt for a sampler or setting that this program does not have yet
    public static List<Deviation> compare(SafetensorsFile golden, DiffusionModel model, Engine engine) throws Failure {
        JsonObject description = caseOf(golden);
        DiffusionModel scheduled = model.withScheduler(scheduler(golden, description, model));
        Generation first = generation(golden, description, scheduled);
        DiffusionPipeline pipeline = DiffusionPipeline.of(scheduled, engine);
        Tensor noise = golden.read("noise");
        Tensor latents = golden.read("latents");
        Tensor pixels = golden.read("pixels");
        List<Deviation> deviations = new ArrayList<>();
        for (int k = 0; k < noise.shape().size(0); k++) {
            Generation generation = first.withSeed(first.seed() + k);
            String suffix = noise.shape().size(0) == 1 ? "" : "." + k;
            Shape shape = noise.shape().with(0, 1);
            deviations.add(Deviation.absolute("noise" + suffix, noise.rows(k, k + 1),
                    NoiseSource.ofSeeds(generation.seed()).draw(shape), NOISE_TOLERANCE));
            if (!(pipeline.sampleLatents(generation,
                    StepListener.none()) instanceof SamplingResult.Finished(Tensor found)))
                throw new IllegalStateException("nobody said stop");
            deviations.add(Deviation.relative("latents" + suffix, latents.rows(k, k + 1), found, LATENTS_TOLERANCE));
            deviations.add(rmse8Bit("picture" + suffix, RgbImage.fromTensor(pixels.rows(k, k + 1)),
                    RgbImage.fromTensor(pipeline.decode(found))));
        }
        return deviations;
    }

    private static Deviation rmse8Bit(String name, RgbImage expected, RgbImage found) {
        double squares = 0;
        for (int i = 0; i < expected.argb().length; i++) {
            for (int shift = 0; shift <= 16; shift += 8) {
                double difference = (expected.argb()[i] >> shift & 0xFF) - (found.argb()[i] >> shift & 0xFF);
                squares += difference * difference;
            }
        }
        double rmse = Math.sqrt(squares / (3.0 * expected.argb().length));
        return new Deviation(name + " (8-bit, root mean square)", rmse, rmse / 255,
                new Deviation.Bound(Deviation.Measure.ABSOLUTE, RMSE_TOLERANCE));
    }

    private static JsonObject caseOf(SafetensorsFile golden) throws Failure {
        try {
            return JsonParser.parseString(golden.metadata().get("case")).getAsJsonObject();
        } catch (RuntimeException e) {
            throw malformedCase(golden, e);
        }
    }

    private static Generation generation(SafetensorsFile golden, JsonObject description, DiffusionModel model)
            throws Failure {
        try {
            SamplingSettings sampling = sampling(SamplerName.of(model.scheduler()), description);
            GenerationSettings settings = GenerationSettings.of(sampling, description.get("guidance").getAsDouble(),
                    side(description, "width", model), side(description, "height", model));
            return new Generation(
                    new PromptPair(description.get("prompt").getAsString(), text(description, "negative")), settings,
                    description.get("seed").getAsLong(), List.of());
        } catch (RuntimeException e) {
            throw malformedCase(golden, e);
        }
    }

    /// The reference pipeline hands its own eta, 0 where nothing else is asked, to the two schedulers that take one.
    static SamplingSettings sampling(SamplerName sampler, JsonObject description) {
        SamplingSettings sampling = SamplingSettings.of(sampler, ScheduleName.AUTOMATIC,
                description.get("steps").getAsInt());
        boolean takesEta = sampler == SamplerName.DDIM || sampler == SamplerName.TCD;
        return takesEta ? sampling.withEta(description.has("eta") ? description.get("eta").getAsDouble() : 0)
                : sampling;
    }

    private static Failure malformedCase(SafetensorsFile golden, RuntimeException e) {
        return new Failure.Unreadable(
                golden.file() + ": metadata \"case\": expected prompt, seed, scheduler, config, steps and guidance: "
                        + SafeText.of(e.getMessage()),
                e);
    }

    /// The model's config with the case's changes, read as the case's class reads it.
    /// @throws Failure.NotBuilt for what generation itself decides
    private static SchedulerConfig scheduler(SafetensorsFile golden, JsonObject description, DiffusionModel model)
            throws Failure {
        try {
            JsonObject changes = description.getAsJsonObject("config");
            for (String fixed : List.of("steps_offset", "clip_sample", "skip_prk_steps")) {
                if (changes.has(fixed))
                    throw new Failure.Unsupported(
                            "scheduler setting " + fixed + " of a picture's case is not built yet");
            }
            return model.scheduler().with(changes).forClass(description.get("scheduler").getAsString());
        } catch (RuntimeException e) {
            throw malformedCase(golden, e);
        }
    }

    static int side(JsonObject description, String key, DiffusionModel model) {
        int side = description.has(key) ? description.get(key).getAsInt() : model.defaultImageSize();
        if (side < 1 || side > MAX_SIDE)
            throw new IllegalArgumentException(key + ": expected 1 to " + MAX_SIDE + ", found " + side);
        return side;
    }

    private static String text(JsonObject description, String key) {
        return description.has(key) && !description.get(key).isJsonNull() ? description.get(key).getAsString() : "";
    }
}
