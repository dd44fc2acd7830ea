package atomstudio.app.freedesktop;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// The user's applications menu: the program's entry and icon in it.
/// @param dataFolder the user's data folder, as a rule `~/.local/share`
/// @param program what the entry starts
public record ApplicationsMenu(Path dataFolder, Path program) {
    private static final String ICON = "/atomstudio/app/window/icon-256.png";

    /// That of this desktop and this program; empty on Windows and macOS, and if the program was started without a
    /// launcher.
    public static Optional<ApplicationsMenu> current() {
        if (!System.getProperty("os.name").startsWith("Linux")) return Optional.empty();
        Path folder = dataFolder(System.getenv(), Path.of(System.getProperty("user.home")));
        return Stream.of("jpackage.app-path", "atomstudio.launcher")
                .map(System::getProperty)
                .filter(Objects::nonNull)
                .findFirst()
                .map(launcher -> new ApplicationsMenu(folder, Path.of(launcher).toAbsolutePath()));
    }

    /// `XDG_DATA_HOME`, which must be absolute to count, or `~/.local/share`.
    static Path dataFolder(Map<String, String> environment, Path userHome) {
        String configured = environment.getOrDefault("XDG_DATA_HOME", "");
        return configured.startsWith("/") ? Path.of(configured) : userHome.resolve(".local/share");
    }

    Path entryFile() {
        return dataFolder.resolve("applications").resolve(DesktopEntry.FILE_NAME);
    }

    Path iconFile() {
        return iconTheme().resolve("256x256/apps").resolve(DesktopEntry.ICON + ".png");
    }

    private Path iconTheme() {
        return dataFolder.resolve("icons/hicolor");
    }

    /// The entry that starts this program.
    public String ownEntry() {
        return DesktopEntry.of(program);
    }

    /// The text of the menu's entry; empty if there is none.
    public Optional<String> entry() throws Failure {
        try {
            return Optional.of(new String(Files.readAllBytes(entryFile()), StandardCharsets.UTF_8));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException e) {
            throw new Failure.Unreadable(entryFile() + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Writes an entry and the icon.
    public void write(String entry) throws Failure {
        AtomicFile.write(iconFile(), out -> {
            try (InputStream icon = ApplicationsMenu.class.getResourceAsStream(ICON)) {
                Objects.requireNonNull(icon, ICON + " is missing from the class path").transferTo(out);
            }
        });
        AtomicFile.write(entryFile(), out -> out.write(entry.getBytes(StandardCharsets.UTF_8)));
        touchIconTheme();
    }

    /// Deletes the entry and the icon.
    public void remove() throws Failure {
        try {
            Files.deleteIfExists(entryFile());
            Files.deleteIfExists(iconFile());
        } catch (IOException e) {
            throw new Failure.Unwritable(dataFolder + ": the menu's entry cannot be deleted: " + e.getMessage(), e);
        }
        touchIconTheme();
    }

    /// Desktops look for new icons when the theme's folder is newer than their cache.
    private void touchIconTheme() throws Failure {
        try {
            if (Files.isDirectory(iconTheme()))
                Files.setLastModifiedTime(iconTheme(), FileTime.from(Instant.now()));
        } catch (IOException e) {
            throw new Failure.Unwritable(iconTheme() + ": its time cannot be changed: " + e.getMessage(), e);
        }
    }
}
