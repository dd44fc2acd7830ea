package atomstudio.app.desktop;

import java.nio.file.Path;

/// Clipboard and file manager.
public interface Desktop {
    void copy(String text);

    /// Opens a folder, or the folder a file lies in, in the file manager.
    void show(Path fileOrFolder);
}
