package atomstudio.app.compare;

import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.model.ModelReference;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/// A comparison to create.
/// @param prompts with `{}` for the subject
public record ComparisonRequest(ModelReference model, ComparedSubject subject, RunSource source, List<String> prompts,
        List<Long> seeds, ImageOptions options, Path outputFolder) {
    public ComparisonRequest {
        prompts = List.copyOf(prompts);
        seeds = List.copyOf(seeds);
        if (prompts.isEmpty()) throw new IllegalArgumentException("prompts: expected at least one, found none");
        if (seeds.isEmpty()) throw new IllegalArgumentException("seeds: expected at least one, found none");
        outputFolder = outputFolder.toAbsolutePath().normalize();
    }

    /// Class and trigger word of the subject.
    public record ComparedSubject(String className, String triggerWord) {}

    /// Where the runs come from.
    public sealed interface RunSource {}

    /// Runs to train, or to resume, with [ComparisonJob#METHODS].
    /// @param steps of every run; empty: the method's default
    public record TrainNewRuns(Path photos, OptionalInt steps) implements RunSource {}

    /// Finished runs.
    public record ExistingRuns(List<Path> runs) implements RunSource {
        public ExistingRuns {
            runs = List.copyOf(runs);
        }
    }

    /// Settings of every image.
    public record ImageOptions(String negativePrompt, GenerationSettings settings) {}
}
