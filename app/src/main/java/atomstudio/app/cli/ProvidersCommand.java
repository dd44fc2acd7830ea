package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.provider.ChildProcessTrial;
import atomstudio.app.provider.DeviceJson;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.provider.DeviceSelection.KnownDevice;
import atomstudio.app.provider.Measurement;
import atomstudio.app.provider.Provider;
import atomstudio.app.provider.ProviderStore;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `studio providers`: the devices, and the execution providers of ONNX Runtime that bring some of them.
@Command(
        name = "providers",
        description = "Lists the devices for --device: built in, and of added execution providers of ONNX Runtime, "
                + "such as OpenVINO (Intel) and WebGPU (any GPU). Nothing is downloaded: a provider is added from its "
                + "Python package.",
        footer = {"", "Examples:", "  studio providers",
                "  pip download --no-deps onnxruntime-ep-openvino",
                "  studio providers add onnxruntime_ep_openvino-1.8.1-py3-none-manylinux_2_28_x86_64.whl",
                "  studio providers measure", "  studio providers remove openvino"})
final class ProvidersCommand implements Callable<Integer>, Main.RunsWithoutNatives, Main.CommandGroup {
    private final CommandContext context;

    @Mixin
    private OutputOption output = new OutputOption();

    ProvidersCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public List<Object> subcommands() {
        return List.of(new ListCommand(context), new AddCommand(context), new RemoveCommand(context),
                new MeasureCommand(context), new ProvidersTrialCommand(context),
                new ProvidersHostCommand(context));
    }

    @Override
    public Integer call() throws Failure {
        return list(context, output);
    }

    private static int list(CommandContext context, OutputOption output) throws Failure {
        DeviceSelection devices = context.devices();
        String automatic = devices.automatic().name();
        output.printIndented(context.terminal(), () -> {
            JsonArray json = new JsonArray();
            devices.known().forEach(device -> json.add(json(device, automatic)));
            return json;
        }, () -> {
            List<String> lines = new ArrayList<>();
            devices.known().forEach(device -> lines.addAll(lines(device)));
            lines.add("auto takes " + automatic + ".");
            return lines;
        });
        ProviderStore.Listing listing = devices.store().list();
        listing.unreadable().values().forEach(failure -> context.terminal().printNote(RemedyOption.message(failure)));
        return listing.unreadable().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private static List<String> lines(KnownDevice known) {
        List<String> lines = new ArrayList<>(List.of(known.name()));
        lines.add("  provider   " + known.provider().map(Provider::title).orElse("built in"));
        if (known.device() instanceof ProviderDevice device) {
            ProviderDevice.Hardware hardware = device.hardware();
            String memory = hardware.memoryBytes().isPresent()
                    ? ", " + DisplayFormat.bytes(hardware.memoryBytes().getAsLong())
                    : "";
            lines.add("  device     " + hardware.kind() + ", "
                    + (hardware.model().isBlank() ? hardware.vendor() : hardware.model()) + memory);
            lines.add("  precision  " + DeviceJson.option(device.precision()));
        }
        lines.add("  pace       " + known.measurement().map(ProvidersCommand::pace).orElse("not measured"));
        return lines;
    }

    private static String pace(Measurement measurement) {
        return String.format(Locale.ROOT, "%.1f ms a step of the embedded model, error %s",
                1000 * measurement.secondsPerStep(),
                Double.isFinite(measurement.error()) ? DisplayFormat.percent(measurement.error()) : "not finite");
    }

    private static JsonObject json(KnownDevice known, String automatic) {
        JsonObject json = new JsonObject();
        if (known.device() instanceof ProviderDevice device) json = DeviceJson.write(device);
        else json.addProperty("name", known.name());
        JsonObject object = json;
        object.addProperty("automatic", known.name().equals(automatic));
        known.provider().ifPresent(provider -> {
            object.addProperty("plugin", provider.name());
            object.addProperty("version", provider.origin().version());
            object.addProperty("package", provider.origin().packageName());
        });
        known.measurement().ifPresent(measurement -> {
            object.addProperty("secondsPerStep", measurement.secondsPerStep());
            object.add("error", measurement.toJson().get("error"));
        });
        return object;
    }

    /// `studio providers list`: the same as `studio providers`.
    @Command(name = "list", description = "Lists the devices: provider, vendor, memory, precision, measured pace.",
            footer = {"", "Examples:", "  studio providers list --json"})
    private static final class ListCommand implements Callable<Integer>, Main.RunsWithoutNatives {
        private final CommandContext context;

        @Mixin
        private OutputOption output = new OutputOption();

        ListCommand(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() throws Failure {
            return list(context, output);
        }
    }

    private interface Work {
        void run(ChildProcessTrial trial, Cancellation cancellation) throws Failure, InterruptedException;
    }

    private static int run(CommandContext context, Work work) throws Failure {
        ChildProcessTrial trial = new ChildProcessTrial(
                ChildProcessLauncher.ofThisProgram(context.home()));
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            work.run(trial, context.stopSignal()::requested);
            return ExitCode.SUCCESS;
        } catch (CancellationException | InterruptedException e) {
            context.terminal().printNote("Cancelled.");
            return ExitCode.CANCELLED;
        }
    }

    /// Measures devices and prints each result.
    /// @return the devices that could not be measured
    private static int measure(CommandContext context, List<String> names, ChildProcessTrial trial,
            Cancellation cancellation) throws Failure, InterruptedException {
        int failed = 0;
        for (String name : names) {
            try {
                context.terminal().printNote("Measuring " + name + ".");
                Measurement measurement = trial.measure(name, cancellation);
                context.devices().save(measurement);
                context.terminal().printResult(name + "  " + pace(measurement));
            } catch (Failure.DeviceUnavailable e) {
                failed++;
                context.terminal().printNote(e.getMessage());
            }
        }
        return failed;
    }

    @Command(name = "add",
            description = "Adds an execution provider from its Python package: checks the package (system, version of "
                    + "ONNX Runtime, checksums), copies it into the data folder, tries it in a separate process and "
                    + "measures its devices. If anything fails, nothing is added.",
            footer = {"", "Examples:", "  pip download --no-deps onnxruntime-ep-webgpu",
                    "  studio providers add onnxruntime_ep_webgpu-0.4.0-py3-none-manylinux_2_28_x86_64.whl"})
    private static final class AddCommand implements Callable<Integer> {
        private final CommandContext context;

        @Parameters(paramLabel = "FILE.whl|FILE.zip|FOLDER", description = "A Python wheel, an archive or a folder.")
        private Path source = Path.of("");

        AddCommand(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() throws Failure {
            return run(context, (trial, cancellation) -> {
                DeviceSelection devices = context.devices();
                Provider provider = devices.store().add(source, trial, this::report, cancellation);
                context.terminal()
                        .printResult("Added " + provider.title() + " with " + String.join(", ",
                                provider.devices().stream().map(ProviderDevice::name).toList()) + ".");
                List<String> names = devices.known()
                        .stream()
                        .filter(device -> device.measurement().isEmpty())
                        .map(KnownDevice::name)
                        .toList();
                measure(context, names, trial, cancellation);
            });
        }

        private void report(ProviderStore.Progress progress) {
            if (progress instanceof ProviderStore.Progress.Trying)
                context.terminal().printNote("Trying the provider in a separate process.");
        }
    }

    @Command(name = "remove",
            description = "Moves an added execution provider to the program's trash, where the window restores it.",
            footer = {"", "Examples:", "  studio providers remove openvino"})
    private static final class RemoveCommand implements Callable<Integer>, Main.RunsWithoutNatives {
        private final CommandContext context;

        @Parameters(paramLabel = "NAME", description = "The provider's name, as in studio providers.")
        private String name = "";

        RemoveCommand(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() throws Failure {
            DeviceSelection devices = context.devices();
            Path folder = devices.store().find(name);
            new Trash(context.home().trash(), InstantSource.system()).move("execution provider " + name,
                    devices.files(folder));
            context.terminal().printResult("Removed " + name + ".");
            return ExitCode.SUCCESS;
        }
    }

    @Command(name = "measure",
            description = "Measures a guided step of the embedded model and its error on each device, in separate "
                    + "processes. --device auto takes the fastest. Close other programs first.",
            footer = {"", "Examples:", "  studio providers measure", "  studio providers measure openvino-gpu"})
    private static final class MeasureCommand implements Callable<Integer> {
        private final CommandContext context;

        @Parameters(paramLabel = "DEVICE", arity = "0..*", description = "Devices. Default: all.")
        private List<String> names = new ArrayList<>();

        MeasureCommand(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() throws Failure {
            DeviceSelection devices = context.devices();
            for (String name : names) devices.find(name);
            List<String> measured = names.isEmpty() ? devices.known().stream().map(KnownDevice::name).toList() : names;
            List<Integer> failures = new ArrayList<>();
            int code = run(context,
                    (trial, cancellation) -> failures.add(measure(context, measured, trial, cancellation)));
            if (code != ExitCode.SUCCESS) return code;
            context.terminal().printResult("auto takes " + context.devices().automatic().name() + ".");
            return failures.equals(List.of(0)) ? ExitCode.SUCCESS : ExitCode.FAILED;
        }
    }
}
