package atomstudio.app.hub;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/// Downloads a model into a folder. The files are collected in a hidden folder beside it, which is renamed when all of
/// them are there and verified: an interrupted download is continued by the next one and never looks like a model.
public final class ModelDownload {
    private static final String LOCK = "download.lock";

    private final HubClient client;
    private final DownloadPlan plan;
    private final Path target;
    private final ToLongFunction<Path> freeSpace;

    /// @param file the file being downloaded
    /// @param done bytes of the whole download, those of an earlier attempt included
    public record Progress(String file, long done, long total) {}

    /// @param target the folder to create
    public ModelDownload(HubClient client, DownloadPlan plan, Path target) {
        this(client, plan, target, folder -> folder.toFile().getUsableSpace());
    }

    ModelDownload(HubClient client, DownloadPlan plan, Path target, ToLongFunction<Path> freeSpace) {
        this.client = client;
        this.plan = plan;
        this.target = target.toAbsolutePath().normalize();
        this.freeSpace = freeSpace;
    }

    /// The folder of an unfinished download to `target`.
    static Path partialFolder(Path target) {
        return target.resolveSibling("." + target.getFileName() + ".download");
    }

    /// Bytes that an earlier attempt left.
    public long existingBytes() {
        return existingBytes(partialFolder(target), plan.files());
    }

    static long existingBytes(Path folder, List<HubFile> files) {
        long sum = 0;
        for (HubFile file : files) {
            Path path = folder.resolve(file.path());
            sum += Math.min(file.size(), Math.max(path.toFile().length(), FileDownload.part(path).toFile().length()));
        }
        return sum;
    }

    /// Downloads what is missing. If the folder is already there, complete and of the same commit, nothing is done.
    /// @param onProgress called on this thread, often
    /// @return the path by which the model is opened: the folder, or the file in it
    public Path run(Consumer<Progress> onProgress, Cancellation cancellation) throws Failure, InterruptedException {
        DownloadManifest manifest = DownloadManifest.of(client.address(), plan);
        if (isComplete(manifest)) return manifest.modelPath(target);
        Path folder = partialFolder(target);
        try {
            StudioFolder.createDirectories(folder);
            try (FileChannel lock = lock(folder)) {
                removeOutdated(folder, manifest);
                manifest.write(folder);
                checkSpace(folder);
                downloadAll(folder, onProgress, cancellation);
            }
            Files.deleteIfExists(folder.resolve(LOCK));
            Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new Failure.Unwritable(target + ": cannot be written: " + e.getMessage()
                    + "; free some space or choose another folder. What was downloaded is kept", e);
        }
        return manifest.modelPath(target);
    }

    private boolean isComplete(DownloadManifest manifest) throws Failure {
        if (!Files.exists(target)) return false;
        Optional<DownloadManifest> existing = DownloadManifest.read(target);
        if (existing.isPresent() && existing.get().files().equals(manifest.files())
                && existingBytes(target, manifest.files()) == plan.size())
            return true;
        throw new Failure.Conflict(target + ": already exists, "
                + existing.map(other -> "from " + other.id() + " at commit " + other.commit().substring(0, 10))
                        .orElse("and was not downloaded from a hub")
                + "; remove it or choose another folder");
    }

    private static FileChannel lock(Path folder) throws IOException, Failure {
        FileChannel channel = FileChannel.open(StudioFolder.createFile(folder.resolve(LOCK)), StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) return channel;
        } catch (OverlappingFileLockException sameProcess) {
            // Reported below.
        }
        channel.close();
        throw new Failure.Conflict(folder + ": this model is being downloaded already; wait for it or cancel it");
    }

    /// Deletes the files of an earlier attempt that the repository has changed since.
    private static void removeOutdated(Path folder, DownloadManifest manifest) throws IOException {
        List<HubFile> earlier = DownloadManifest.read(folder).map(DownloadManifest::files).orElse(List.of());
        for (HubFile file : manifest.files()) {
            if (earlier.contains(file)) continue;
            Files.deleteIfExists(folder.resolve(file.path()));
            Files.deleteIfExists(FileDownload.part(folder.resolve(file.path())));
        }
        for (HubFile file : earlier) {
            if (manifest.files().contains(file)) continue;
            Files.deleteIfExists(folder.resolve(file.path()));
            Files.deleteIfExists(FileDownload.part(folder.resolve(file.path())));
        }
    }

    private void checkSpace(Path folder) throws Failure {
        long needed = plan.size() - existingBytes(folder, plan.files());
        long free = freeSpace.applyAsLong(folder);
        if (free >= needed) return;
        throw new Failure.Unwritable(target.getParent() + ": the disk has too little space: expected "
                + DisplayFormat.bytes(needed) + ", found " + DisplayFormat.bytes(free)
                + "; free some space or choose another folder");
    }

    private void downloadAll(Path folder, Consumer<Progress> onProgress, Cancellation cancellation)
            throws Failure, InterruptedException {
        long total = plan.size();
        long done = 0;
        for (HubFile file : plan.files()) {
            Path path = folder.resolve(file.path());
            long before = done;
            // Moved to its name after its checksum was verified.
            if (!Files.isRegularFile(path) || path.toFile().length() != file.size())
                new FileDownload(client, plan.repository(), file, path,
                        bytes -> onProgress.accept(new Progress(file.path(), before + bytes, total)))
                        .run(cancellation);
            done += file.size();
            onProgress.accept(new Progress(file.path(), done, total));
        }
    }
}
