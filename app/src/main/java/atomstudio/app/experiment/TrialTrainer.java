package atomstudio.app.experiment;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/// Tunes one run as far as a step, or goes on with it.
@FunctionalInterface
public interface TrialTrainer {
    /// What is to be tuned on which pictures, into which folder.
    /// @param endStep the step at which it ends this time
    record TrialRequest(Path model, Path photos, Trial trial, int endStep, Path runFolder) {}

    /// How it ended.
    sealed interface TrialOutcome {
        record TrialCompleted() implements TrialOutcome {}

        record TrialStopped() implements TrialOutcome {}

        /// In the words of the process.
        record TrialFailed(String reason) implements TrialOutcome {}

        /// The method is none that this program has.
        record UnsupportedMethod(String reason) implements TrialOutcome {}
    }

    /// @param stop asked many times a second
    TrialOutcome train(TrialRequest request, BooleanSupplier stop) throws Failure;
}
