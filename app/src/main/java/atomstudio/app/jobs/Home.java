package atomstudio.app.jobs;

import java.nio.file.Path;
import java.util.Map;

/// The folder that holds what outlives a start: runs, subjects, settings, unpacked natives. Nothing is created by asking.
public record Home(Path folder) {
    /// The environment variable that moves the home.
    public static final String VARIABLE = "ATOMSTUDIO_HOME";

    public Home {
        folder = folder.toAbsolutePath().normalize();
    }

    /// `ATOMSTUDIO_HOME`, or `~/.atomstudio`.
    public static Home current() {
        return of(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    /// The home that an environment asks for.
    static Home of(Map<String, String> environment, Path userHome) {
        String asked = environment.getOrDefault(VARIABLE, "");
        return new Home(asked.isBlank() ? userHome.resolve(".atomstudio") : Path.of(asked));
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
