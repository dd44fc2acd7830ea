package atomstudio.app.cli;

import atomstudio.app.provider.DeviceJson;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.runtime.Devices;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `--device`, for every command that samples. Use it as a picocli mixin.
final class DeviceOption {
    @Option(names = "--device", paramLabel = "auto|cpu|cuda|NAME", defaultValue = DeviceSelection.AUTO,
            description = "Where to sample; NAME is a device of an added execution provider (see studio providers), "
                    + "NAME:float32, NAME:bfloat16 or NAME:float16 the same in this precision. "
                    + "auto: the fastest that was measured; without measurements cuda if available, else cpu. "
                    + "Default: ${DEFAULT-VALUE}.")
    private String name = DeviceSelection.AUTO;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /// The device for sampling.
    /// @throws Failure.DeviceUnavailable if it cannot be used
    Device device(CommandContext context) throws Failure {
        DeviceSelection devices = context.devices();
        int colon = name.indexOf(':');
        if (colon >= 0) return withPrecision(devices, name.substring(0, colon), name.substring(colon + 1));
        requireKnown(spec, name, devices.names());
        Device device = devices.select(name, context.terminal()::printNote);
        if (name.equals(DeviceSelection.AUTO) && device instanceof ProviderDevice)
            context.terminal().printNote("Device " + device.name() + ": the fastest that was measured here.");
        return device;
    }

    private Device withPrecision(DeviceSelection devices, String deviceName, String precision) throws Failure {
        requireKnown(spec, deviceName, devices.names());
        for (ProviderDevice.Precision each : ProviderDevice.Precision.values()) {
            if (!DeviceJson.option(each).equals(precision)) continue;
            if (!deviceName.equals(DeviceSelection.AUTO)) requirePrecision(devices.find(deviceName).device(), each);
            if (devices.select(deviceName, note -> {}) instanceof ProviderDevice device) {
                requirePrecision(device, each); // auto
                return device.withPrecision(each);
            }
            throw new UsageError(spec, "--device: a precision needs a device of an execution provider, found \"" + name
                    + "\"");
        }
        throw new UsageError(spec,
                "--device: expected the precision float32, float16 or bfloat16, found \"" + precision + "\"");
    }

    private void requirePrecision(Device device, ProviderDevice.Precision precision) {
        if (device instanceof ProviderDevice provider && !provider.takesPrecision()
                && precision != ProviderDevice.Precision.FLOAT32)
            throw new UsageError(spec, "--device: " + provider.hardware().provider()
                    + " computes only in float32, found \"" + name + "\"; use " + provider.name());
    }

    /// The device of a command that also trains: `auto` is a GPU that can do both.
    Device deviceForTrainingToo(CommandContext context) throws Failure {
        Device standard = Devices.detect().select(Optional.empty());
        return name.equals(DeviceSelection.AUTO) && standard.equals(Device.CUDA) ? standard : device(context);
    }

    /// The device of a command that checks the reference results, or that samples with PyTorch: `auto` is a built-in
    /// one, since providers compute in lower precisions, and without PyTorch.
    Device builtInUnlessNamed(CommandContext context) throws Failure {
        return name.equals(DeviceSelection.AUTO) ? Devices.detect().select(Optional.empty()) : device(context);
    }

    private static void requireKnown(CommandSpec spec, String name, List<String> names) {
        if (!names.contains(name) && !name.equals(Device.CUDA.name()))
            throw new UsageError(spec, "--device: expected one of " + String.join(", ", names) + ", found \"" + name
                    + "\"; other devices are added with: studio providers add");
    }

    /// `--device` of commands that only train.
    static final class ForTraining {
        @Option(names = "--device", paramLabel = "auto|cpu|cuda", defaultValue = DeviceSelection.AUTO,
                description = "Where to train. auto: cuda if available, else cpu. Default: ${DEFAULT-VALUE}.")
        private String name = DeviceSelection.AUTO;

        @Spec(Spec.Target.MIXEE)
        private CommandSpec spec;

        /// @throws Failure.DeviceUnavailable if it cannot be used
        Device device(CommandContext context) throws Failure {
            List<String> trainable = List.of(DeviceSelection.AUTO, Device.CPU.name(), Device.CUDA.name());
            if (trainable.contains(name)) return Devices.detect().select(requested());
            requireKnown(spec, name, context.devices().names());
            throw new UsageError(spec, "--device: expected one of " + String.join(", ", trainable) + ", found \"" + name
                    + "\": execution providers sample, but do not train");
        }

        private Optional<Device> requested() {
            return List.of(Device.CPU, Device.CUDA).stream().filter(device -> device.name().equals(name)).findFirst();
        }
    }
}
