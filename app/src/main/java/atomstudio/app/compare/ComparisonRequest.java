package atomstudio.app.compare;

import atomstudio.diffusion.engine.Generation.Settings;
import atomstudio.diffusion.model.NamedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/// What is to be compared, how it is sampled, and where it goes.
/// @param prompts with `{}` for the subject
/// @param out folder of the comparison
public record ComparisonRequest(NamedModel model, Subject subject, Source source, List<String> prompts, List<Long> seeds, Look look, Path out) {
    public ComparisonRequest {
        prompts = List.copyOf(prompts);
        seeds = List.copyOf(seeds);
        if (prompts.isEmpty()) throw new IllegalArgumentException("prompts: expected at least one, found none");
        if (seeds.isEmpty()) throw new IllegalArgumentException("seeds: expected at least one, found none");
        out = out.toAbsolutePath().normalize();
    }

    /// The words for the subject.
    public record Subject(String className, String token) {}

    /// Where the rows beside Base come from.
    public sealed interface Source {}

    /// Tuned with each of the methods on offer to a first comparison, or gone on with where that was begun.
    /// @param steps of every run; the method's own where empty
    public record Tuned(Path pictures, OptionalInt steps) implements Source {}

    /// Finished runs.
    public record Given(List<Path> runs) implements Source {
        public Given {
            runs = List.copyOf(runs);
        }
    }

    /// The same for every picture.
    public record Look(String negative, Settings settings) {}
}
