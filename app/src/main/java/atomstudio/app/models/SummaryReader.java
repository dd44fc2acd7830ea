package atomstudio.app.models;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;

/// Reads what a model, in a folder or a file, says of itself, without loading its weights.
public interface SummaryReader {
    ModelSummary readBuiltIn() throws Failure;

    /// @throws Failure.Unreadable when it is no model
    /// @throws Failure.Incompatible when the model is of a kind that cannot be run
    ModelSummary read(Path path) throws Failure;
}
