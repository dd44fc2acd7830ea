package atomstudio.app.experiment;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;

/// Trains or resumes one run up to a step.
@FunctionalInterface
public interface TrialTrainer {
    /// @param photos  of the subject
    /// @param endStep the step to stop at
    record TrialRequest(Path model, Path photos, Trial trial, int endStep, Path runFolder) {}

    /// How the training ended.
    sealed interface TrialOutcome {
        record TrialCompleted() implements TrialOutcome {}

        record TrialStopped() implements TrialOutcome {}

        /// @param reason the last output of the process
        record TrialFailed(String reason) implements TrialOutcome {}

        /// The method or one of its options is unknown.
        record UnsupportedMethod(String reason) implements TrialOutcome {}
    }

    /// @param cancellation checked several times a second
    TrialOutcome train(TrialRequest request, Cancellation cancellation) throws Failure;
}
