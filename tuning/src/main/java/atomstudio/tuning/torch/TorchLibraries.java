package atomstudio.tuning.torch;

import ai.djl.engine.Engine;
import atomstudio.diffusion.file.CompletionMarker;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/// PyTorch's native libraries, which DJL unpacks once to `pytorch/VERSION/`. DJL does not check existing files;
/// therefore a folder is marked complete after loading, and a damaged or unmarked one is removed before loading, so
/// that DJL unpacks it again.
final class TorchLibraries {
    private TorchLibraries() {}

    /// Loads the engine, one process at a time.
    static synchronized Engine load(Path natives) {
        if (System.getProperty("PYTORCH_LIBRARY_PATH") != null || System.getenv("PYTORCH_LIBRARY_PATH") != null)
            return Engine.getEngine("PyTorch");
        Path folder = natives.resolve("pytorch");
        try (FileChannel channel = FileChannel.open(StudioFolder.createFile(natives.resolve("pytorch.lock")),
                StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
            removeDamaged(folder);
            Engine engine = Engine.getEngine("PyTorch");
            for (Path version : versions(folder))
                if (!Files.exists(version.resolve(CompletionMarker.NAME))) CompletionMarker.write(version);
            return engine;
        } catch (IOException e) {
            LoggerFactory.getLogger(TorchLibraries.class)
                    .warn("cannot check PyTorch's libraries in {}", folder, e);
            return Engine.getEngine("PyTorch");
        }
    }

    /// Moves each away first, so that an interrupted removal leaves no partial folder.
    static void removeDamaged(Path folder) throws IOException {
        for (Path version : versions(folder)) {
            if (CompletionMarker.isComplete(version)) continue;
            try (TemporaryPath damaged = TemporaryPath
                    .register(folder.resolveSibling(".damaged-" + TemporaryPath.randomSuffix()))) {
                Files.move(version, damaged.path(), StandardCopyOption.ATOMIC_MOVE);
            }
        }
    }

    private static List<Path> versions(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> versions = Files.list(folder)) {
            return versions.filter(Files::isDirectory).toList();
        }
    }
}
