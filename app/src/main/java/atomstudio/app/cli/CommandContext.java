package atomstudio.app.cli;

import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.runtime.Assets;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.config.TrainingEnvironment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What every command needs: the home folder, the output streams and the stop signal.
public record CommandContext(Home home, Terminal terminal, StopSignal stopSignal) {
    /// The chosen model, or the embedded one. A downloaded model may be named `OWNER/NAME`.
    public Path modelPath(@Nullable Path chosen) throws Failure {
        if (chosen == null) return assets().defaultModel();
        Path downloaded = home.models().resolve(chosen);
        return !Files.exists(chosen) && Files.exists(downloaded) ? downloaded : chosen;
    }

    /// Folders to search for the tokenizer of a model without one.
    public List<Path> tokenizerLocations() {
        return new TokenizerFolders(home).folders();
    }

    /// Training on a device with all processors of this machine.
    public TrainingEnvironment machine(Device device) {
        return new TrainingEnvironment(device, Runtime.getRuntime().availableProcessors(), home.folder(),
                tokenizerLocations());
    }

    /// The devices of this machine.
    public DeviceSelection devices() {
        return new DeviceSelection(home);
    }

    /// The embedded model and sample subjects.
    public Assets assets() throws Failure {
        return Assets.find();
    }
}
