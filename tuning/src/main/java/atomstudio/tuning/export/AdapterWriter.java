package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterFile;
import java.nio.file.Path;

/// Writes an adapter to a file.
@FunctionalInterface
public interface AdapterWriter {
    /// @param base read only by formats that contain weights or weight differences
    /// @throws Failure.Incompatible if the format cannot store the adapter
    /// @throws Failure.Unwritable if the disk is full; an existing file is kept
    ExportFormat.ExportResult write(AdapterFile adapter, ExportBaseModel base, Path file) throws Failure;
}
