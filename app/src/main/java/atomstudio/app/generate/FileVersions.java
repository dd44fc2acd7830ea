package atomstudio.app.generate;

import atomstudio.diffusion.file.FileSnapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Distinguishes the model and adapter files that were at the same path one after the other, by size and modification
/// time. The file system's own identity is left out: a copy of the home folder or a restart would change it.
/// @param versions by path; empty text: no such file
public record FileVersions(Map<Path, String> versions) {
    public static final FileVersions NONE = new FileVersions(Map.of());
    /// A model in diffusers' layout has its weights in subfolders.
    private static final int MODEL_DEPTH = 3;

    public FileVersions {
        versions = Map.copyOf(versions);
    }

    /// For job threads.
    /// @param paths adapter files, model files and model folders
    public static FileVersions read(Collection<Path> paths) {
        Map<Path, String> found = new HashMap<>();
        for (Path path : paths) found.put(path, version(path));
        return new FileVersions(found);
    }

    private static String version(Path path) {
        try {
            if (!Files.isDirectory(path)) return fileVersion(path);
            try (Stream<Path> files = Files.walk(path, MODEL_DEPTH)) {
                return files.filter(FileVersions::isPartOfModel)
                        .sorted()
                        .map(file -> path.relativize(file) + " " + fileVersion(file))
                        .collect(Collectors.joining("\n"));
            }
        } catch (IOException unreadable) {
            return "";
        }
    }

    private static boolean isPartOfModel(Path file) {
        return file.getFileName().toString().matches("(?i).*\\.(safetensors|bin|ckpt|pt|pth|json|txt)")
                && Files.isRegularFile(file);
    }

    private static String fileVersion(Path file) {
        try {
            FileSnapshot found = FileSnapshot.of(file);
            return found.size() + " " + found.modified().toInstant();
        } catch (IOException absent) {
            return "";
        }
    }

    public boolean isKnown(Path path) { return versions.containsKey(path); }

    /// Empty if it was not read.
    String of(Path path) {
        return versions.getOrDefault(path, "");
    }
}
