package atomstudio.app.provider;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.process.ChildProcessLauncher.CommandResult;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Registers and measures in a child process, by the hidden command `providers trial`.
public record ChildProcessTrial(ChildProcessLauncher launcher) implements ProviderTrial {
    /// From here on the exit code is a signal's number.
    private static final int SIGNALS = 128;
    /// Windows reports a crash as an exception code.
    private static final int MIN_EXCEPTION = 0x4000_0000;

    @Override
    public List<ProviderDevice> register(String name, Path library, Cancellation cancellation)
            throws Failure, InterruptedException {
        Json json = run("execution provider " + name, List.of(ChildProcessLauncher.option("name", name),
                ChildProcessLauncher.option("library", library)), cancellation);
        List<ProviderDevice> devices = new ArrayList<>();
        for (Json device : json.objects("devices")) devices.add(DeviceJson.read(device));
        return devices;
    }

    @Override
    public Measurement measure(String device, Cancellation cancellation) throws Failure, InterruptedException {
        return Measurement.read(
                run("device " + device, List.of(ChildProcessLauncher.option("device", device)), cancellation));
    }

    private Json run(String tried, List<String> options, Cancellation cancellation)
            throws Failure, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("providers", "trial", "--control-stdin"));
        arguments.addAll(options);
        CommandResult result = launcher.run(arguments, "provider", cancellation);
        int code = result.exitCode();
        if (code > SIGNALS && code < SIGNALS + 64 || code < 0 || code >= MIN_EXCEPTION)
            throw new Failure.DeviceUnavailable(
                    tried + " cannot be used: its code crashed when it was tried (exit code " + code + ")");
        if (code != 0)
            throw new Failure.DeviceUnavailable(tried + " cannot be used: " + (result.lastErrorLines().isEmpty()
                    ? "the trial ended with exit code " + code
                    : result.lastErrorLines()));
        // A plugin may print lines of its own before the result.
        String last = result.output().lines().reduce("", (before, line) -> line);
        return Json.parse("the trial of " + tried, last);
    }
}
