package atomstudio.tuning.config;

import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Path;
import java.util.List;

/// The machine that a run computes on. Results are bit-identical only for the same device and thread count.
/// @param home             folder of native libraries, caches and model hashes
/// @param tokenizerFolders searched for the tokenizer of a model without one
public record TrainingEnvironment(Device device, int threads, Path home, List<Path> tokenizerFolders) {
    public TrainingEnvironment {
        tokenizerFolders = List.copyOf(tokenizerFolders);
    }

    /// With the tokenizer folder of `home`.
    public TrainingEnvironment(Device device, int threads, Path home) {
        this(device, threads, home, List.of(home.resolve("clip-vocabulary")));
    }

    /// The CPU, with one thread per processor.
    public static TrainingEnvironment cpu(Path home) {
        return new TrainingEnvironment(Device.CPU, Runtime.getRuntime().availableProcessors(), home);
    }

    /// A cache of model hashes in `home`.
    public BaseModelHashes baseModelHashes() {
        return new BaseModelHashes(home.resolve("base-hashes.json"));
    }

    public TorchSettings torchSettings() {
        return new TorchSettings(home.resolve("natives"), threads);
    }
}
