package atomstudio.tuning.torch;

import ai.djl.engine.EngineException;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.MemoryShortage;
import java.util.Locale;
import java.util.function.Supplier;

/// Translates PyTorch's exceptions into failures.
final class TorchFailures {
    private TorchFailures() {}

    /// @throws Failure.OutOfMemory when the device is out of memory
    static <T> T translate(String operation, Supplier<T> work) throws Failure {
        try {
            return work.get();
        } catch (EngineException e) {
            String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            String lower = message.toLowerCase(Locale.ROOT);
            if (lower.contains("out of memory") || lower.contains("not enough memory")
                    || lower.contains("can't allocate memory")) {
                throw new Failure.OutOfMemory(operation + ": out of memory (" + message
                        + "); close other programs, or use smaller images or a smaller model", e);
            }
            throw e;
        } catch (OutOfMemoryError e) {
            throw new Failure.OutOfMemory(operation + ": " + MemoryShortage.of(e).message(), e);
        }
    }
}
