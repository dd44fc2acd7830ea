package atomstudio.app.experiment;

import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.data.PhotoFiles;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Evaluates a model with or without adapters: images of the same prompts and seeds every time, kept in a folder, and
/// their measures. The prompts and seeds are those of docs/experiments.md.
final class Evaluator {
    private static final List<String> PROMPTS = List.of("a {} in the snow", "a {} on the beach", "a {} in the city",
            "a {} under the night sky");
    private static final List<Long> SEEDS = List.of(0L, 1L);

    private final ImageGenerator generator;
    private final ClipMetrics metrics;
    private final OutputSettings output;
    private final BooleanSupplier stop;
    private final Map<Path, List<ClipEmbedding>> referenceCache = new HashMap<>();

    /// Where images go, and how each is sampled.
    record OutputSettings(Path folder, Generation.GenerationSettings settings) {}

    Evaluator(ImageGenerator generator, ClipMetrics metrics, OutputSettings output, BooleanSupplier stop) {
        this.generator = generator;
        this.metrics = metrics;
        this.output = output;
        this.stop = stop;
    }

    ImageGenerator generator() {
        return generator;
    }

    /// What the pictures should show.
    /// @param phrase stands for it in prompts
    record EvaluatedSubject(ExperimentSubject subject, String phrase, Path photos) {}

    /// @param subfolder where the pictures go, within the folder
    /// @return empty when somebody said stop
    Optional<ClipScores> evaluate(EvaluatedSubject evaluated, List<WeightedAdapter> adapters, String subfolder)
            throws Failure {
        List<ClipScores.PromptSamples> samples = new ArrayList<>();
        for (int prompt = 0; prompt < PROMPTS.size(); prompt++) {
            List<ClipEmbedding> embeddings = new ArrayList<>();
            for (long seed : SEEDS) {
                Generation generation = generation(PROMPTS.get(prompt).replace("{}", evaluated.phrase), seed, adapters);
                Optional<RgbImage> image = generator.generate(generation,
                        progress -> stop.getAsBoolean() ? StepListener.Next.STOP : StepListener.Next.CONTINUE);
                if (image.isEmpty()) return Optional.empty();
                PngWriter.write(output.folder.resolve(subfolder).resolve(prompt + "-" + seed + ".png"), image.get(),
                        generator.infotext(generation, Optional.empty()).toPngText());
                embeddings.add(metrics.embedImage(image.get()));
            }
            samples.add(new ClipScores.PromptSamples(embeddings,
                    metrics.embedPrompt(PROMPTS.get(prompt).replace("{}", evaluated.subject.className()))));
        }
        return Optional.of(metrics.measure(referenceEmbeddings(evaluated.photos), samples));
    }

    private Generation generation(String prompt, long seed, List<WeightedAdapter> adapters) {
        return new Generation(new Generation.PromptPair(prompt, ""), output.settings, seed, adapters);
    }

    private List<ClipEmbedding> referenceEmbeddings(Path photoFolder) throws Failure {
        List<ClipEmbedding> cached = referenceCache.get(photoFolder);
        if (cached == null) {
            List<RgbImage> photos = new ArrayList<>();
            for (Path file : PhotoFiles.of(photoFolder).photos()) photos.add(ImageFiles.read(file));
            referenceCache.put(photoFolder, cached = metrics.embedImages(photos));
        }
        return cached;
    }
}
