package atomstudio.tuning.config;

import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Path;
import java.util.List;

/// Where a run computes: not part of what is tuned, but equal bits are promised for an equal device and thread count
/// only.
/// @param home         folder of unpacked natives and remembered hashes
/// @param tokenizerFolders where to look for the tokenizer of a model that brings none
public record TrainingEnvironment(Device device, int threads, Path home, List<Path> tokenizerFolders) {
    public TrainingEnvironment {
        tokenizerFolders = List.copyOf(tokenizerFolders);
    }

    /// One on which tokenizers are looked for at home alone.
    public TrainingEnvironment(Device device, int threads, Path home) {
        this(device, threads, home, List.of(home.resolve("clip-vocabulary")));
    }

    /// The CPU, with a thread a processor.
    public static TrainingEnvironment cpu(Path home) {
        return new TrainingEnvironment(Device.CPU, Runtime.getRuntime().availableProcessors(), home);
    }

    /// Remembers hashes of models, so that each is read through once.
    public BaseModelHashes baseModelHashes() {
        return new BaseModelHashes(home.resolve("base-hashes.json"));
    }

    public TorchSettings torchSettings() {
        return new TorchSettings(home.resolve("natives"), threads);
    }
}
