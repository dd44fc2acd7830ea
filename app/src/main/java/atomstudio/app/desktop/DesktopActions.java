package atomstudio.app.desktop;

import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;

/// Clipboard, file manager and programs of the desktop.
public interface DesktopActions {
    void copyToClipboard(String text);

    void copyImage(RgbImage image);

    /// Opens a file with the program for its type.
    void open(Path file);

    /// Opens a folder, or the folder a file lies in, in the file manager.
    void showInFileManager(Path fileOrFolder);
}
