package atomstudio.app.experiment;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/// Tunes one run as far as a step, or goes on with it.
@FunctionalInterface
public interface TrialTuner {
    /// What is to be tuned on which pictures, into which folder.
    /// @param until the step at which it ends this time
    record Order(Path model, Path pictures, Trial trial, int until, Path run) {}

    /// How it ended.
    sealed interface Ended {
        record Done() implements Ended {}

        record Stopped() implements Ended {}

        /// In the words of the process.
        record Refused(String why) implements Ended {}

        /// The method is none that this program has.
        record Unknown(String why) implements Ended {}
    }

    /// @param stop asked many times a second
    Ended tune(Order order, BooleanSupplier stop) throws Failure;
}
