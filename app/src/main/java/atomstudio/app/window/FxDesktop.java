package atomstudio.app.window;

import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.diffusion.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javafx.scene.input.Clipboard;
import javafx.scene.input.ClipboardContent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// JavaFX clipboard, and the operating system's command to open files and folders.
final class FxDesktop implements DesktopActions {
    private static final Logger log = LoggerFactory.getLogger(FxDesktop.class);

    @Override
    public void copyToClipboard(String text) {
        ClipboardContent content = new ClipboardContent();
        content.putString(text);
        Clipboard.getSystemClipboard().setContent(content);
    }

    @Override
    public void copyImage(RgbImage image) {
        ClipboardContent content = new ClipboardContent();
        content.putImage(RoundedImageView.toFxImage(image));
        Clipboard.getSystemClipboard().setContent(content);
    }

    @Override
    public void open(Path file) {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        List<String> command = system.contains("win") ? List.of("rundll32", "url.dll,FileProtocolHandler")
                : List.of(system.contains("mac") ? "open" : "xdg-open");
        start(Stream.concat(command.stream(), Stream.of(file.toString())).toList());
    }

    @Override
    public void showInFileManager(Path fileOrFolder) {
        Path folder = Files.isDirectory(fileOrFolder) ? fileOrFolder : fileOrFolder.toAbsolutePath().getParent();
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String opener = system.contains("win") ? "explorer" : system.contains("mac") ? "open" : "xdg-open";
        start(List.of(opener, folder.toString()));
    }

    private static void start(List<String> command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD);
            builder.environment().remove(ChildProcessLauncher.LAUNCHER_VARIABLE);
            builder.start();
        } catch (IOException none) {
            log.warn("cannot run {}", command, none);
        }
    }
}
