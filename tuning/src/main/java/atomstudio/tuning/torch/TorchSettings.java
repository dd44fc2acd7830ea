package atomstudio.tuning.torch;

import java.nio.file.Path;

/// How PyTorch is loaded.
/// @param natives folder that its native libraries are unpacked to
/// @param threads that one operation may use
public record TorchSettings(Path natives, int threads) {
    public TorchSettings {
        if (threads < 1) throw new IllegalArgumentException("threads: expected at least 1, found " + threads);
    }

    /// Natives in the home folder (system property `atomstudio.home`, else `ATOMSTUDIO_HOME`, else `~/.atomstudio`),
    /// one thread per processor.
    public static TorchSettings standard() {
        return new TorchSettings(home().resolve("natives"), Runtime.getRuntime().availableProcessors());
    }

    public TorchSettings withThreads(int threads) {
        return new TorchSettings(natives, threads);
    }

    private static Path home() {
        String property = System.getProperty("atomstudio.home");
        if (property != null) return Path.of(property);
        String variable = System.getenv("ATOMSTUDIO_HOME");
        return variable != null && !variable.isBlank() ? Path.of(variable)
                : Path.of(System.getProperty("user.home"), ".atomstudio");
    }
}
