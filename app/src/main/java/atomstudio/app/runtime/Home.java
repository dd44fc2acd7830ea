package atomstudio.app.runtime;

import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.slf4j.LoggerFactory;

/// The folder for runs, subjects, settings and unpacked native libraries. Its accessors create nothing.
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

    /// Restricts the permissions of the default home, which an earlier version created for everyone. A home chosen with
    /// the environment variable keeps its permissions.
    public void protect() {
        if (!folder.equals(defaultFolder(Path.of(System.getProperty("user.home")))) || !Files.isDirectory(folder))
            return;
        try {
            StudioFolder.restrictPermissions(folder);
        } catch (IOException notOwner) {
            LoggerFactory.getLogger(Home.class).debug("the permissions of {} are unchanged", folder, notOwner);
        }
    }

    /// Creates the home and its log readable by the owner alone; the logger would create them readable by everyone.
    /// Also the folder that launchers name for Java's crash log: without it that is in the working directory.
    public void prepareLog() {
        try {
            StudioFolder.createFile(log());
            StudioFolder.createDirectories(crashLog().getParent());
        } catch (IOException unwritable) {
            // The first write to the home reports the failure.
        }
    }

    private static Path defaultFolder(Path userHome) {
        return userHome.resolve(".atomstudio").toAbsolutePath().normalize();
    }

    /// The home for a set of environment variables.
    static Home of(Map<String, String> environment, Path userHome) {
        String configured = environment.getOrDefault(ENVIRONMENT_VARIABLE, "");
        return new Home(configured.isBlank() ? defaultFolder(userHome) : Path.of(configured));
    }

    /// Java's crash log of a process; `%p` is its id.
    public Path crashLog() {
        return folder.resolve("logs").resolve("crash-%p.log");
    }

    public Path runs() {
        return folder.resolve("runs");
    }

    public Path subjects() {
        return folder.resolve("subjects");
    }

    /// All images generated in the window, in one folder per day.
    public Path images() {
        return folder.resolve("images");
    }

    /// Adapters that prompts can name: from images, and copied here by the user.
    public Path adapters() {
        return folder.resolve("adapters");
    }

    /// What was deleted in the window.
    public Path trash() {
        return folder.resolve("trash");
    }

    public Path settings() {
        return folder.resolve("settings.json");
    }

    /// Measured time and memory of training methods.
    public Path estimates() {
        return folder.resolve("estimates.json");
    }

    public Path natives() {
        return folder.resolve("natives");
    }

    /// Execution providers that were added, and what the devices were measured to do.
    public Path providers() {
        return folder.resolve("providers");
    }

    /// Models that were downloaded from a hub.
    public Path models() {
        return folder.resolve("models");
    }

    /// The hub's address and access tokens.
    public Path hubSettings() {
        return folder.resolve("hub.json");
    }

    /// CLIP's vocabulary, copied here by the user, for models in one file, which have no tokenizer.
    public Path clipVocabulary() {
        return folder.resolve("clip-vocabulary");
    }

    /// Cache of base model hashes.
    public Path baseHashes() {
        return folder.resolve("base-hashes.json");
    }

    /// Warnings and stack traces.
    public Path log() {
        return folder.resolve("studio.log");
    }
}
