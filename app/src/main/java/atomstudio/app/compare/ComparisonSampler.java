package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.ComparisonJob.ComparisonListener.ComparisonControl;
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

/// Makes a comparison's pictures, row by row. A picture that is there and says that it was made in exactly the same
/// way is kept.
final class ComparisonSampler {
    /// Keyword of the text that names the base model's weights: a name alone would not tell a model from its successor.
    private static final String BASE_HASH_KEY = "base";

    private final ImageGenerator maker;
    private final BaseModelHashes hashes;
    private final ComparisonRequest request;
    private final ComparisonJob.ComparisonListener listener;

    ComparisonSampler(ImageGenerator maker, BaseModelHashes hashes, ComparisonRequest request,
            ComparisonJob.ComparisonListener listener) {
        this.maker = maker;
        this.hashes = hashes;
        this.request = request;
        this.listener = listener;
    }

    /// @param runs the rows' runs, without Base
    ComparisonControl generate(Comparison comparison, List<Path> runs, ComparisonFolder output) throws Failure {
        String baseHash = hashes.hash(maker.model());
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
                    if (generate(generation, output.imageFile(row, prompt, seed), baseHash, new StepOffset(done, total))
                            == ComparisonControl.STOP)
                        return ComparisonControl.STOP;
                    done += steps();
                }
            }
        }
        listener.onSamplingProgress(total, total);
        return ComparisonControl.CONTINUE;
    }

    /// How many steps came before a picture, and how many there are altogether.
    private record StepOffset(int stepsBefore, int totalSteps) {}

    private ComparisonControl generate(Generation generation, Path file, String baseHash, StepOffset offset)
            throws Failure {
        Map<String, String> text = new LinkedHashMap<>(maker.infotext(generation, Optional.empty()).toPngText());
        text.put(BASE_HASH_KEY, baseHash);
        listener.onSamplingProgress(offset.stepsBefore, offset.totalSteps);
        if (Files.exists(file) && text.equals(readText(file))) return listener.next();
        Optional<RgbImage> image = maker.generate(generation, step -> {
            listener.onSamplingProgress(offset.stepsBefore + Math.min(step.completedSteps(), steps()),
                    offset.totalSteps);
            return listener.next() == ComparisonControl.STOP ? StepListener.Next.STOP : StepListener.Next.CONTINUE;
        });
        if (image.isEmpty()) return ComparisonControl.STOP;
        PngWriter.write(file, image.get(), text);
        return ComparisonControl.CONTINUE;
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
        DiffusionModel model = maker.model();
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
