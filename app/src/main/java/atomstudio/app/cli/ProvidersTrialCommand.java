package atomstudio.app.cli;

import atomstudio.app.provider.DeviceBenchmark;
import atomstudio.app.provider.DeviceJson;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.provider.Measurement;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.ExecutionProviders;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// The child process in which a provider's code runs for the first time.
@Command(name = "trial", hidden = true, description = "Registers a library, or measures a device.")
final class ProvidersTrialCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--name", paramLabel = "NAME", description = "Registration name.")
    private String name = "";

    @Option(names = "--library", paramLabel = "FILE", description = "The library to register.")
    private @Nullable Path library;

    @Option(names = "--device", paramLabel = "NAME", description = "The device to measure.")
    private @Nullable String device;

    @Mixin
    private final ControlOption controlOption = new ControlOption();

    @Spec
    private CommandSpec spec;

    ProvidersTrialCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        controlOption.stopAtEndOfInput(context);
        if (library != null) context.terminal().printResult(register(library).toString());
        else if (device != null) context.terminal().printResult(measure(device).toJson().toString());
        else throw new UsageError(spec, "expected --library or --device");
        return ExitCode.SUCCESS;
    }

    private JsonObject register(Path file) throws Failure {
        ExecutionProviders.register(name, file);
        JsonArray devices = new JsonArray();
        ExecutionProviders.devices().forEach(each -> devices.add(DeviceJson.write(each)));
        JsonObject json = new JsonObject();
        json.add("devices", devices);
        return json;
    }

    private Measurement measure(String measured) throws Failure {
        DeviceSelection devices = context.devices();
        DeviceBenchmark benchmark = DeviceBenchmark.run(DiffusionModel.open(context.assets().defaultModel()),
                devices.select(measured, context.terminal()::printNote));
        return new Measurement(devices.key(devices.find(measured)), benchmark.secondsPerStep(), benchmark.error());
    }
}
