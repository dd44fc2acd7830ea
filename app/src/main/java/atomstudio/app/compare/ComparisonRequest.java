package atomstudio.app.compare;

import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.model.ModelReference;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/// What is to be compared, how it is sampled, and where it goes.
/// @param prompts with `{}` for the subject
/// @param outputFolder folder of the comparison
public record ComparisonRequest(ModelReference model, ComparedSubject subject, RunSource source, List<String> prompts,
        List<Long> seeds, ImageOptions options, Path outputFolder) {
    public ComparisonRequest {
        prompts = List.copyOf(prompts);
        seeds = List.copyOf(seeds);
        if (prompts.isEmpty()) throw new IllegalArgumentException("prompts: expected at least one, found none");
        if (seeds.isEmpty()) throw new IllegalArgumentException("seeds: expected at least one, found none");
        outputFolder = outputFolder.toAbsolutePath().normalize();
    }

    /// The words for the subject.
    public record ComparedSubject(String className, String triggerWord) {}

    /// Where the rows beside Base come from.
    public sealed interface RunSource {}

    /// Tuned with each of the methods on offer to a first comparison, or gone on with where that was begun.
    /// @param steps of every run; the method's own where empty
    public record TrainNewRuns(Path photos, OptionalInt steps) implements RunSource {}

    /// Finished runs.
    public record ExistingRuns(List<Path> runs) implements RunSource {
        public ExistingRuns {
            runs = List.copyOf(runs);
        }
    }

    /// The same for every picture.
    public record ImageOptions(String negativePrompt, GenerationSettings settings) {}
}
