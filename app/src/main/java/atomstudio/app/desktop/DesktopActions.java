package atomstudio.app.desktop;

import java.nio.file.Path;

/// Clipboard and file manager of the desktop.
public interface DesktopActions {
    void copyToClipboard(String text);

    /// Opens a folder, or the folder a file lies in, in the file manager.
    void showInFileManager(Path fileOrFolder);
}
