package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.export.ExportFormat;
import java.nio.file.Path;

/// Writes a run's adapter to a file of its own.
@FunctionalInterface
public interface Exporter {
    /// @return what is worth knowing about it, such as that the run is not finished; empty if nothing is
    String export(Path run, Path file, ExportFormat format) throws Failure;
}
