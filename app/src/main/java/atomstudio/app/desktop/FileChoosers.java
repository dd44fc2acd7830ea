package atomstudio.app.desktop;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// File choosers of the desktop. Empty results: the dialog was cancelled.
public interface FileChoosers {
    List<Path> images(String title);

    /// Adapter files: safetensors, PyTorch files, PNG with embedded adapters.
    List<Path> adapters(String title);

    Optional<Path> folder(String title);

    /// A single-file checkpoint.
    Optional<Path> model(String title);

    /// The package of an execution provider: a Python wheel or an archive.
    Optional<Path> provider(String title);

    /// A TOML file of training settings.
    Optional<Path> settings(String title);

    /// The file to write. The dialog itself confirms overwriting.
    Optional<Path> saveFile(String title, String suggestedName);
}
