package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Safetensors;
import java.nio.file.Path;

/// What training needs to go on as if it had never stopped.
record Checkpoint() {
    /// Finished steps that the file holds.
    static int step(Path file) throws Failure {
        try (Safetensors tensors = Safetensors.open(file)) {
            String step = tensors.metadata().get("step");
            if (step == null) throw new Failure.Unreadable(file + ": expected a checkpoint, found a safetensors file without a step");
            return Integer.parseInt(step);
        } catch (NumberFormatException e) {
            throw new Failure.Unreadable(file + ": its step is no number; delete it to start the run again", e);
        }
    }
}
