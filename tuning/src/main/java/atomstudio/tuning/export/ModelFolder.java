package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.model.DiffusionModel;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A new model folder in diffusers' layout with another's configurations, tokenizer and further networks.
/// @param source a model in that layout
record ModelFolder(DiffusionModel source, Path target) {
    /// Of the small files that are copied from the top level.
    private static final long MAX_COPIED_BYTES = 1 << 20;

    /// Writes the weights of the three networks into a folder.
    @FunctionalInterface
    interface WeightWriter {
        void write(Path folder) throws Failure;
    }

    /// Writes the folder beside its final place and moves it.
    /// @param weightBytes size of the networks' weights
    /// @throws Failure.Conflict if the folder has content, or the disk is too small; nothing is written then
    void write(long weightBytes, WeightWriter weights) throws Failure {
        Path folder = target.toAbsolutePath().normalize();
        Path part = folder.resolveSibling("." + TemporaryPath.randomSuffix() + ".part");
        try (TemporaryPath _ = TemporaryPath.register(part)) {
            requireEmpty(folder);
            requireSpace(folder, weightBytes + copiedBytes());
            StudioFolder.createDirectories(part);
            copyFiles(part);
            weights.write(part);
            Files.deleteIfExists(folder);
            Files.move(part, folder);
        } catch (IOException e) {
            throw new Failure.Unwritable(target + ": cannot be written: " + e.getMessage()
                    + "; free some space or choose another folder; nothing was overwritten", e);
        }
    }

    static void requireEmpty(Path folder) throws Failure, IOException {
        if (!Files.exists(folder)) return;
        if (Files.isDirectory(folder)) {
            try (Stream<Path> content = Files.list(folder)) {
                if (content.findAny().isEmpty()) return;
            }
        }
        throw new Failure.Conflict(folder + ": expected a new or an empty folder, found "
                + (Files.isDirectory(folder) ? "one with content" : "a file") + "; choose another");
    }

    /// @throws Failure.Conflict if the disk has less free space
    static void requireSpace(Path file, long bytes) throws Failure {
        Path existing = file.toAbsolutePath().getParent();
        while (existing != null && !Files.exists(existing)) existing = existing.getParent();
        if (existing == null) return;
        try {
            long free = Files.getFileStore(existing).getUsableSpace();
            if (free < bytes)
                throw new Failure.Conflict(file + ": needs " + (bytes >> 20) + " MiB, and " + (free >> 20)
                        + " MiB are free there; free some space or choose another disk; nothing was written");
        } catch (IOException e) {
            throw new Failure.Unwritable(existing + ": its free space cannot be read: " + e.getMessage(), e);
        }
    }

    /// All files but the three networks' weights and the configurations, which are written from the loaded model.
    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(source.path())) {
            return files.filter(Files::isRegularFile).filter(this::isCopied).sorted().toList();
        }
    }

    private boolean isCopied(Path file) {
        Path relative = source.path().relativize(file);
        String name = file.getFileName().toString();
        if (name.startsWith(".")) return false;
        if (relative.getNameCount() == 1)
            return name.matches(".*\\.json|LICENSE.*") && file.toFile().length() <= MAX_COPIED_BYTES;
        boolean isNetwork = source.components()
                .keySet()
                .stream()
                .anyMatch(component -> relative.startsWith(component.folder()));
        return !isNetwork || name.equals("config.json");
    }

    private long copiedBytes() throws IOException {
        long bytes = 0;
        for (Path file : files()) bytes += Files.size(file);
        return bytes;
    }

    private void copyFiles(Path folder) throws Failure, IOException {
        for (Path file : files()) {
            Path copy = folder.resolve(source.path().relativize(file).toString());
            Files.createDirectories(copy.getParent());
            try (InputStream content = Files.newInputStream(file)) {
                Files.copy(content, copy); // with default permissions: the source may be read-only
            }
        }
        // Another autoencoder or prediction type may have been chosen for this model.
        for (Map.Entry<String, JsonElement> config : source.configs().entrySet()) {
            String name = config.getKey().equals("scheduler") ? "scheduler_config.json" : "config.json";
            Files.createDirectories(folder.resolve(config.getKey()));
            Files.writeString(folder.resolve(config.getKey()).resolve(name),
                    new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(config.getValue())
                            + "\n");
        }
    }
}
