package atomstudio.app.hub;

import atomstudio.app.hub.DownloadPlan.Choice;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The folder of downloaded models: `OWNER/NAME` for each.
public record DownloadedModels(Path folder) {
    /// A download that was interrupted.
    /// @param done bytes that exist
    public record Unfinished(DownloadManifest manifest, Path target, long done) {}

    /// The folder for a plan: variants, single files and revisions of a repository are separate models.
    public Path target(DownloadPlan plan) {
        RepositoryId id = plan.repository().id();
        String suffix = switch (plan.choice()) {
            case Choice.Folder(String variant) when variant.isEmpty() -> "";
            case Choice.Folder(String variant) -> "." + variant;
            case Choice.SingleFile(String path) -> "." + path.replaceFirst("\\.safetensors$", "");
        };
        String revision = id.revision().equals(RepositoryId.MAIN) ? ""
                : "@" + id.revision().replaceAll("[^\\w.\\-]", "-");
        Path parent = id.owner().isEmpty() ? folder : folder.resolve(id.owner());
        return parent.resolve(id.name() + suffix + revision);
    }

    /// The complete models, by which they are opened.
    public List<Path> models() {
        List<Path> models = new ArrayList<>();
        for (Path candidate : folders()) {
            if (isPartial(candidate)) continue;
            Optional<DownloadManifest> manifest = DownloadManifest.read(candidate);
            if (manifest.isPresent()) models.add(manifest.get().modelPath(candidate));
            else if (Files.isRegularFile(candidate.resolve(DownloadPlan.MODEL_INDEX))) models.add(candidate);
        }
        return models;
    }

    public List<Unfinished> unfinished() {
        List<Unfinished> unfinished = new ArrayList<>();
        for (Path candidate : folders()) {
            if (!isPartial(candidate)) continue;
            String name = candidate.getFileName().toString();
            Path target = candidate.resolveSibling(name.substring(1, name.length() - ".download".length()));
            DownloadManifest.read(candidate)
                    .map(manifest -> new Unfinished(manifest, target,
                            ModelDownload.existingBytes(candidate, manifest.files())))
                    .ifPresent(unfinished::add);
        }
        return unfinished;
    }

    /// Deletes what an interrupted download left.
    public void discard(Unfinished download) throws Failure {
        Path partial = ModelDownload.partialFolder(download.target);
        try (Stream<Path> files = Files.walk(partial)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new Failure.Unwritable(partial + ": cannot be deleted: " + e.getMessage(), e);
        }
    }

    private static boolean isPartial(Path folder) {
        String name = folder.getFileName().toString();
        return name.startsWith(".") && name.endsWith(".download");
    }

    /// Folders of the first and second level, by name.
    private List<Path> folders() {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> all = Files.walk(folder, 2)) {
            return all.filter(path -> !path.equals(folder) && Files.isDirectory(path)).sorted().toList();
        } catch (IOException | UncheckedIOException unreadable) {
            return List.of();
        }
    }
}
