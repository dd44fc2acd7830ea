package atomstudio.app.provider;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A trial with results that are set; it runs no code of a provider.
public final class FakeProviderTrial implements ProviderTrial {
    public List<ProviderDevice> devices = List.of();
    public @Nullable Failure failure;
    public final Map<String, Double> secondsPerStep = new HashMap<>();
    public final List<String> tried = new ArrayList<>();
    /// Set by tests that measure.
    public @Nullable DeviceSelection selection;

    @Override
    public List<ProviderDevice> register(String name, Path library, Cancellation cancellation) throws Failure {
        tried.add(name);
        if (failure != null) throw failure;
        return devices;
    }

    @Override
    public Measurement measure(String device, Cancellation cancellation) throws Failure {
        Double seconds = secondsPerStep.get(device);
        if (seconds == null || selection == null)
            throw new Failure.DeviceUnavailable("device " + device + " cannot be used: no driver");
        return new Measurement(selection.key(selection.find(device)), seconds, 0.004);
    }
}
