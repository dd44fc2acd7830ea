package atomstudio.app.cli;

import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.config.TrainingEnvironment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a command is given: where things are, where to speak, and whether it is asked to stop.
public record CommandContext(Home home, Terminal terminal, StopSignal stopSignal) {
    /// The model folder that the person named, or the embedded one.
    public Path modelPath(@Nullable Path chosen) throws Failure {
        return chosen == null ? assets().defaultModel() : chosen;
    }

    /// Where to look for the tokenizer of a model that brings none.
    public List<Path> tokenizerLocations() {
        return new TokenizerFolders(home).folders();
    }

    /// This machine, computing on a device with all its processors.
    public TrainingEnvironment machine(Device device) {
        return new TrainingEnvironment(device, Runtime.getRuntime().availableProcessors(), home.folder(),
                tokenizerLocations());
    }

    /// The embedded model and sample subjects.
    public Assets assets() throws Failure {
        return Assets.find();
    }
}
