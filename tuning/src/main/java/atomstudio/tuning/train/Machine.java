package atomstudio.tuning.train;

import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Path;
import java.util.List;

/// Where a run computes: not part of what is tuned, but equal bits are promised for an equal device and thread count only.
/// @param home         folder of unpacked natives and remembered hashes
/// @param vocabularies where to look for the tokenizer of a model that brings none
public record Machine(Device device, int threads, Path home, List<Path> vocabularies) {
    public Machine {
        vocabularies = List.copyOf(vocabularies);
    }

    /// One on which tokenizers are looked for at home alone.
    public Machine(Device device, int threads, Path home) {
        this(device, threads, home, List.of(home.resolve("clip-vocabulary")));
    }

    /// The CPU, with a thread a processor.
    public static Machine cpu(Path home) {
        return new Machine(Device.CPU, Runtime.getRuntime().availableProcessors(), home);
    }

    /// Remembers hashes of models, so that each is read through once.
    public BaseModelHashes hashes() {
        return new BaseModelHashes(home.resolve("base-hashes.json"));
    }

    public TorchSettings torch() {
        return new TorchSettings(home.resolve("natives"), threads);
    }
}
