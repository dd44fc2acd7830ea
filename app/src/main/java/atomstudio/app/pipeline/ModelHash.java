package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.FileHashes;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// SHA-256 of a model file, computed in the background.
final class ModelHash {
    private static final long WAIT_SECONDS = 2;

    private final Future<Optional<String>> hash;

    private ModelHash(Future<Optional<String>> hash) {
        this.hash = hash;
    }

    static ModelHash none() {
        return new ModelHash(CompletableFuture.completedFuture(Optional.empty()));
    }

    static ModelHash compute(Path file, FileHashes hashes) {
        CompletableFuture<Optional<String>> computed = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("hash of " + file).start(() -> {
            try {
                computed.complete(Optional.of(hashes.hash(file)));
            } catch (Failure unreadable) {
                // The engine reads the same file and reports the failure.
                computed.complete(Optional.empty());
            }
        });
        return new ModelHash(computed);
    }

    /// In hex; empty if it is not computed within two seconds.
    Optional<String> get() {
        try {
            return hash.get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException unknown) {
            return Optional.empty();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
