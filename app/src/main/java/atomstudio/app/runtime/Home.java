package atomstudio.app.runtime;

import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.slf4j.LoggerFactory;

/// The folder that holds what outlives a start: runs, subjects, settings, unpacked natives. Nothing is created by
/// asking.
public record Home(Path folder) {
    /// The environment variable that moves the home.
    public static final String ENVIRONMENT_VARIABLE = "ATOMSTUDIO_HOME";

    public Home {
        folder = folder.toAbsolutePath().normalize();
    }

    /// `ATOMSTUDIO_HOME`, or `~/.atomstudio`.
    public static Home current() {
        return of(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    /// Takes others' rights from the usual home where an earlier version made it with them. A home that a person
    /// chose keeps its rights.
    public void protect() {
        if (!folder.equals(defaultFolder(Path.of(System.getProperty("user.home")))) || !Files.isDirectory(folder))
            return;
        try {
            StudioFolder.restrictPermissions(folder);
        } catch (IOException notOwner) {
            LoggerFactory.getLogger(Home.class).debug("the rights of {} stay as they are", folder, notOwner);
        }
    }

    /// Makes the home and its log with their owner's rights: the logger itself would make them with the usual ones.
    public void prepareLog() {
        try {
            StudioFolder.createFile(log());
        } catch (IOException unwritable) {
            // What needs the home says so itself.
        }
    }

    private static Path defaultFolder(Path userHome) {
        return userHome.resolve(".atomstudio").toAbsolutePath().normalize();
    }

    /// The home that an environment asks for.
    static Home of(Map<String, String> environment, Path userHome) {
        String configured = environment.getOrDefault(ENVIRONMENT_VARIABLE, "");
        return new Home(configured.isBlank() ? defaultFolder(userHome) : Path.of(configured));
    }

    public Path runs() {
        return folder.resolve("runs");
    }

    public Path subjects() {
        return folder.resolve("subjects");
    }

    /// Adapters that prompts can name: those that came in pictures, and what a person puts there.
    public Path adapters() {
        return folder.resolve("adapters");
    }

    public Path settings() {
        return folder.resolve("settings.json");
    }

    public Path natives() {
        return folder.resolve("natives");
    }

    /// CLIP's public vocabulary, where a person put it: for models in one file, which bring no tokenizer.
    public Path clipVocabulary() {
        return folder.resolve("clip-vocabulary");
    }

    /// Hashes of base models that were computed once.
    public Path baseHashes() {
        return folder.resolve("base-hashes.json");
    }

    /// Warnings, and the stack trace of anything unexpected.
    public Path log() {
        return folder.resolve("studio.log");
    }
}
