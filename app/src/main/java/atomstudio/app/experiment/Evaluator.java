package atomstudio.app.experiment;

import atomstudio.app.jobs.Cancellation;
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
import java.util.concurrent.CancellationException;

/// Evaluates a model with or without adapters: generates the prompts and seeds of docs/experiments.md, saves the images
/// and measures them.
final class Evaluator {
    private static final List<String> PROMPTS = List.of("a {} in the snow", "a {} on the beach", "a {} in the city",
            "a {} under the night sky");
    private static final List<Long> SEEDS = List.of(0L, 1L);

    private final ImageGenerator generator;
    private final ClipMetrics metrics;
    private final OutputSettings output;
    /// By photo folder.
    private final Map<Path, List<ClipEmbedding>> photoEmbeddings = new HashMap<>();

    /// Folder and sampling settings of the images.
    record OutputSettings(Path folder, Generation.GenerationSettings settings) {}

    Evaluator(ImageGenerator generator, ClipMetrics metrics, OutputSettings output) {
        this.generator = generator;
        this.metrics = metrics;
        this.output = output;
    }

    ImageGenerator generator() {
        return generator;
    }

    /// The subject of an evaluation.
    /// @param phrase stands for the subject in prompts
    record EvaluatedSubject(ExperimentSubject subject, String phrase, Path photos) {}

    /// @param subfolder for the images, within the output folder
    /// @throws CancellationException if cancelled
    ClipScores evaluate(EvaluatedSubject evaluated, List<WeightedAdapter> adapters, String subfolder,
            Cancellation cancellation) throws Failure {
        List<ClipScores.PromptSamples> samples = new ArrayList<>();
        for (int prompt = 0; prompt < PROMPTS.size(); prompt++) {
            List<ClipEmbedding> embeddings = new ArrayList<>();
            for (long seed : SEEDS) {
                Generation generation = generation(PROMPTS.get(prompt).replace("{}", evaluated.phrase), seed, adapters);
                RgbImage image = generator.generate(generation,
                        progress -> cancellation.isRequested() ? StepListener.Next.STOP : StepListener.Next.CONTINUE)
                        .orElseThrow(CancellationException::new);
                PngWriter.write(output.folder.resolve(subfolder).resolve(prompt + "-" + seed + ".png"), image,
                        generator.infotext(generation, Optional.empty()).toPngText());
                embeddings.add(metrics.embedImage(image));
            }
            samples.add(new ClipScores.PromptSamples(embeddings,
                    metrics.embedPrompt(PROMPTS.get(prompt).replace("{}", evaluated.subject.className()))));
        }
        return metrics.measure(photoEmbeddings(evaluated.photos), samples);
    }

    private Generation generation(String prompt, long seed, List<WeightedAdapter> adapters) {
        return new Generation(new Generation.PromptPair(prompt, ""), output.settings, seed, adapters);
    }

    private List<ClipEmbedding> photoEmbeddings(Path photoFolder) throws Failure {
        List<ClipEmbedding> embeddings = photoEmbeddings.get(photoFolder);
        if (embeddings == null) {
            List<RgbImage> photos = new ArrayList<>();
            for (Path file : PhotoFiles.of(photoFolder).photos()) photos.add(ImageFiles.read(file));
            embeddings = metrics.embedImages(photos);
            photoEmbeddings.put(photoFolder, embeddings);
        }
        return embeddings;
    }
}
