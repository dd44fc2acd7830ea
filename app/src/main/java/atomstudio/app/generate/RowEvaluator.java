package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Measures rows of pictures by the model's own encoders. For jobs.
@FunctionalInterface
public interface RowEvaluator {
    /// @param subjectPhotos pictures of what the rows should be like
    /// @param prompt  what the pictures should show, the class word in the subject's place
    /// @param rows    the pictures of each row
    record EvaluationRequest(Path model, List<Path> subjectPhotos, String prompt, List<List<RgbImage>> rows) {}

    /// What each row measures, in their order; empty where the model has nothing to measure with.
    Optional<List<ClipScores>> evaluate(EvaluationRequest request, Cancellation cancellation) throws Failure;
}
