package atomstudio.tuning.train;

import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Path;

/// Where a run computes: not part of what is tuned, but equal bits are promised for an equal device and thread count only.
/// @param home folder of unpacked natives and remembered hashes
public record Machine(Device device, int threads, Path home) {
    /// The CPU, with a thread a processor.
    public static Machine cpu(Path home) {
        return new Machine(Device.CPU, Runtime.getRuntime().availableProcessors(), home);
    }

    TorchSettings torch() {
        return new TorchSettings(home.resolve("natives"), threads);
    }
}
