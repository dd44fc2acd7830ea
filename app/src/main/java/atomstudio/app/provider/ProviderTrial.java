package atomstudio.app.provider;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import java.nio.file.Path;
import java.util.List;

/// Runs an execution provider's code where a crash does no harm.
public interface ProviderTrial {
    /// Registers a library.
    /// @return its devices
    /// @throws Failure.DeviceUnavailable with the reason if it cannot be registered
    List<ProviderDevice> register(String name, Path library, Cancellation cancellation)
            throws Failure, InterruptedException;

    /// Measures a device by its name.
    /// @throws Failure.DeviceUnavailable with the reason if it cannot be used
    Measurement measure(String device, Cancellation cancellation) throws Failure, InterruptedException;
}
