package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.run.RunFolder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// Scores adapters by images of a few prompts at fixed seeds: 1 − alignment × likeness gained over the base model,
/// lower is better. Without the base model's likeness, an adapter that changes nothing could be the best: it follows
/// prompts better than any other.
final class ImageFitness {
    private static final List<String> PROMPTS = List.of("a {} on the grass", "a {} in the snow");
    private static final int STEPS = 10;

    private final TrainingSetup setup;
    private final DiffusionPipeline pipeline;
    private final ClipMetrics metrics;
    private final List<ClipEmbedding> photos;
    private final List<Long> seeds;
    private final StepListener listener;
    private OptionalDouble baseLikeness = OptionalDouble.empty();

    private ImageFitness(TrainingSetup setup, DiffusionPipeline pipeline, ClipMetrics metrics,
            List<ClipEmbedding> photos, List<Long> seeds, StepListener listener) {
        this.setup = setup;
        this.pipeline = pipeline;
        this.metrics = metrics;
        this.photos = photos;
        this.seeds = seeds;
        this.listener = listener;
    }

    /// @param seeds    of each prompt
    /// @param listener can stop the sampling
    /// @throws Failure.Incompatible if the model has no CLIP encoders
    static ImageFitness open(TrainingSetup setup, RunFolder folder, List<Long> seeds, StepListener listener)
            throws Failure {
        Optional<ClipMetrics> metrics = ClipMetrics.of(setup.model(), setup.engine().networks());
        if (metrics.isEmpty() || metrics.get().embedPrompt(PROMPTS.getFirst()).isEmpty())
            throw new Failure.Incompatible(setup.model().path() + ": the fitness by likeness needs a model with CLIP's "
                    + "image and text encoders, and this one lacks them; use the fitness by loss");
        List<ClipEmbedding> photos = metrics.get()
                .embedImages(PreparedPhotos.readRun(folder, setup.info().subject().photos())
                        .photos()
                        .stream()
                        .map(PreparedPhotos.PreparedPhoto::image)
                        .toList());
        return new ImageFitness(setup, setup.pipeline(), metrics.get(), photos, seeds, listener);
    }

    /// The same with other seeds.
    ImageFitness withSeeds(List<Long> others) {
        return new ImageFitness(setup, pipeline, metrics, photos, others, listener);
    }

    /// Empty when stopped.
    OptionalDouble of(AdapterFile adapter) throws Failure {
        if (baseLikeness.isEmpty()) {
            Optional<ClipScores> base = scores(setup.info().subject().className(), List.of());
            if (base.isEmpty()) return OptionalDouble.empty();
            baseLikeness = base.get().likeness();
        }
        Optional<ClipScores> scores = scores(setup.info().subject().phrase(),
                List.of(new WeightedAdapter(adapter.toAdapterWithoutDerived("structure"), 1)));
        if (scores.isEmpty()) return OptionalDouble.empty();
        double gained = scores.get().likeness().orElseThrow() - baseLikeness.getAsDouble();
        return OptionalDouble.of(1 - gained * scores.get().alignment().orElseThrow());
    }

    private Optional<ClipScores> scores(String phrase, List<WeightedAdapter> adapters) throws Failure {
        List<ClipScores.PromptSamples> samples = new ArrayList<>();
        Generation.GenerationSettings settings = PreviewGenerator.generationSettings(setup.model(), STEPS);
        for (String prompt : PROMPTS) {
            List<ClipEmbedding> images = new ArrayList<>();
            Generation.PromptPair text = new Generation.PromptPair(prompt.replace("{}", phrase), "");
            for (long seed : seeds) {
                Optional<RgbImage> image = pipeline.generate(new Generation(text, settings, seed, adapters), listener);
                if (image.isEmpty()) return Optional.empty();
                images.add(metrics.embedImage(image.get()));
            }
            samples.add(new ClipScores.PromptSamples(images,
                    metrics.embedPrompt(prompt.replace("{}", setup.info().subject().className()))));
        }
        return Optional.of(metrics.measure(photos, samples));
    }
}
