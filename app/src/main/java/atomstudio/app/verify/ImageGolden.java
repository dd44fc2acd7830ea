package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;

/// Golden images of a reference pipeline: metadata `case` has the settings ([GoldenCase] and changes to the scheduler's
/// `config`), `noise`, `latents` and `pixels` the results.
final class ImageGolden {
    private static final double NOISE_TOLERANCE = 2e-6;
    private static final double LATENTS_TOLERANCE = 1e-3;
    /// Root mean square error of the 8-bit image at a peak signal-to-noise ratio of 40 dB.
    private static final double RMSE_TOLERANCE = 255 / Math.pow(10, 40 / 20.0);

    private ImageGolden() {}

    static boolean recognizes(SafetensorsFile file) {
        return file.metadata().containsKey("case")
                && file.tensors().keySet().containsAll(List.of("noise", "latents", "pixels"));
    }

    /// Generates each image of the case by itself and compares.
    /// @throws Failure.Unsupported for a sampler or setting that is not supported
    static List<Deviation> compare(SafetensorsFile golden, DiffusionModel model, Engine engine) throws Failure {
        GoldenCase goldenCase = GoldenCase.of(golden);
        DiffusionModel scheduled = model.withScheduler(scheduler(goldenCase, model));
        Generation first = goldenCase.generation(scheduled);
        DiffusionPipeline pipeline = DiffusionPipeline.of(scheduled, engine);
        Tensor noise = golden.read("noise");
        Tensor latents = golden.read("latents");
        Tensor pixels = golden.read("pixels");
        List<Deviation> deviations = new ArrayList<>();
        for (int k = 0; k < noise.shape().size(0); k++) {
            Generation generation = first.withSeed(first.seed() + k);
            String suffix = noise.shape().size(0) == 1 ? "" : "." + k;
            Tensor drawn = NoiseSource.ofSeeds(generation.seed()).draw(noise.shape().with(0, 1));
            deviations.add(Deviation.absolute("noise" + suffix, noise.rows(k, k + 1), drawn, NOISE_TOLERANCE));
            Tensor sampled = pipeline.sampleLatents(generation, StepListener.none()).orElseThrow();
            deviations.add(Deviation.relative("latents" + suffix, latents.rows(k, k + 1), sampled, LATENTS_TOLERANCE));
            deviations.add(rmse8Bit("image" + suffix, RgbImage.fromTensor(pixels.rows(k, k + 1)),
                    RgbImage.fromTensor(pipeline.decode(sampled))));
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

    /// The model's config with the case's changes.
    /// @throws Failure.Unsupported for settings that generation overrides
    private static SchedulerConfig scheduler(GoldenCase goldenCase, DiffusionModel model) throws Failure {
        JsonObject changes = goldenCase.json().object("config").object();
        for (String fixed : List.of("steps_offset", "clip_sample", "skip_prk_steps")) {
            if (changes.has(fixed))
                throw new Failure.Unsupported("scheduler setting " + fixed + " of an image golden is not supported");
        }
        return goldenCase.scheduler(model.scheduler().with(changes));
    }
}
