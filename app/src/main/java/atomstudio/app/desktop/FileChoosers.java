package atomstudio.app.desktop;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The desktop's file choosers; empty when the person closed them without choosing.
public interface FileChoosers {
    List<Path> images(String title);

    /// Files that hold adapters.
    List<Path> adapters(String title);

    Optional<Path> folder(String title);

    /// One file with a model in it.
    Optional<Path> model(String title);

    /// Where to write a file; the chooser itself has asked before an existing one is named.
    Optional<Path> saveFile(String title, String suggestedName);
}
