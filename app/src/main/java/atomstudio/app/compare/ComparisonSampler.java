package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Generates the images of a comparison, row by row. An existing image with equal generation parameters is kept.
final class ComparisonSampler {
    /// PNG text with the hash of the base model's weights, since models of one name may differ.
    private static final String BASE_HASH_KEY = "base";

    private final ImageGenerator generator;
    private final BaseModelHashes hashes;
    private final ComparisonRequest request;
    private final ComparisonJob.ComparisonListener listener;
    private final Cancellation cancellation;

    ComparisonSampler(ImageGenerator generator, BaseModelHashes hashes, ComparisonRequest request,
            ComparisonJob.ComparisonListener listener, Cancellation cancellation) {
        this.generator = generator;
        this.hashes = hashes;
        this.request = request;
        this.listener = listener;
        this.cancellation = cancellation;
    }

    /// @param runs of the rows after the base model's
    /// @throws CancellationException if cancelled
    void generate(Comparison comparison, List<Path> runs, ComparisonFolder output) throws Failure {
        String baseHash = hashes.hash(generator.model());
        int total = comparison.rows().size() * comparison.prompts().size() * comparison.seeds().size() * steps();
        int done = 0;
        for (int i = 0; i < comparison.rows().size(); i++) {
            ComparisonRow row = comparison.rows().get(i);
            List<WeightedAdapter> adapters = row.isBase() ? List.of() : List.of(loadAdapter(row, runs.get(i - 1)));
            for (int prompt = 0; prompt < comparison.prompts().size(); prompt++) {
                String text = comparison.prompt(row, prompt);
                for (long seed : comparison.seeds()) {
                    Generation generation = new Generation(new PromptPair(text, request.options().negativePrompt()),
                            request.options().settings(), seed, adapters);
                    generate(generation, output.imageFile(row, prompt, seed), baseHash, new StepOffset(done, total));
                    done += steps();
                }
            }
        }
        listener.onSamplingProgress(total, total);
    }

    /// Sampling steps before an image, and of all images.
    private record StepOffset(int stepsBefore, int totalSteps) {}

    private void generate(Generation generation, Path file, String baseHash, StepOffset offset)
            throws Failure {
        Map<String, String> text = new LinkedHashMap<>(generator.infotext(generation, Optional.empty()).toPngText());
        text.put(BASE_HASH_KEY, baseHash);
        listener.onSamplingProgress(offset.stepsBefore, offset.totalSteps);
        cancellation.throwIfRequested();
        if (Files.exists(file) && text.equals(readText(file))) return;
        Optional<RgbImage> image = generator.generate(generation, step -> {
            listener.onSamplingProgress(offset.stepsBefore + Math.min(step.completedSteps(), steps()),
                    offset.totalSteps);
            return cancellation.isRequested() ? StepListener.Next.STOP : StepListener.Next.CONTINUE;
        });
        PngWriter.write(file, image.orElseThrow(CancellationException::new), text);
    }

    private static Map<String, String> readText(Path file) {
        try {
            return PngText.read(file);
        } catch (Failure damaged) {
            return Map.of();
        }
    }

    private WeightedAdapter loadAdapter(ComparisonRow row, Path run) throws Failure {
        AdapterFile file = AdapterFile.read(new RunFolder(run).adapter());
        DiffusionModel model = generator.model();
        try {
            file.compatibilityWarning(model.name(), model.trainableLayers(),
                    Optional.of(hashes.hash(model, file.components())))
                    .ifPresent(note -> listener.onNote(run + ": " + note));
            return new WeightedAdapter(file.toAdapter(row.name(), model), 1);
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(run + ": " + e.getMessage());
        }
    }

    private int steps() {
        return request.options().settings().sampling().steps();
    }
}
