package atomstudio.app.models;

import atomstudio.app.hub.DownloadManifest;
import atomstudio.app.hub.DownloadedModels;
import atomstudio.app.inspect.ModelFacts;
import atomstudio.app.runtime.Home;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.FileHashes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What a model is: kind, abilities, size on disk, hash and origin.
/// @param hash SHA-256 of a single file, as other programs and sites use it; of a folder, that of the UNet's weights
/// @param download where it was downloaded from
public record ModelDetails(String name, ModelFacts facts, long bytes, ModelHash hash,
        Optional<DownloadManifest> download) {
    /// @param of what was hashed
    public record ModelHash(String of, String sha256) {}

    /// Reads a model's configurations; its weights too, unless their hash is cached. Not for the window's thread.
    public static ModelDetails read(Path path, Home home) throws Failure {
        DiffusionModel model = DiffusionModel.open(path);
        ModelHash hash = model.isSingleFile()
                ? new ModelHash("file", new FileHashes(home.baseHashes()).hash(path))
                : new ModelHash("UNet", new BaseModelHashes(home.baseHashes()).hash(model));
        Path folder = model.isSingleFile() ? path.toAbsolutePath().getParent() : path;
        return new ModelDetails(model.name(), ModelFacts.of(model), size(path), hash, DownloadManifest.read(folder));
    }

    private static long size(Path path) throws Failure {
        try (Stream<Path> files = Files.walk(path)) {
            return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException e) {
            throw new Failure.Unreadable(path + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /// The models besides the built-in one: those opened by the user, then those downloaded from a hub.
    public static List<Path> otherModels(AppSettings settings, Home home) {
        return Stream.concat(settings.otherModels().stream(), new DownloadedModels(home.models()).models().stream())
                .distinct()
                .toList();
    }
}
