package atomstudio.app.cli;

import atomstudio.app.jobs.Assets;
import atomstudio.app.jobs.Home;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What a command is given: where things are, where to speak, and whether it is asked to stop.
public record Studio(Home home, Terminal terminal, StopSignal stop) {
    /// The model folder that the person named, or the embedded one.
    public Path model(@Nullable Path named) throws Failure {
        return named == null ? assets().defaultModel() : named;
    }

    /// The embedded model and sample subjects.
    public Assets assets() throws Failure {
        return Assets.find();
    }
}
