package atomstudio.app.cli;

import atomstudio.app.runtime.Devices;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// `--device`, for every command that computes. Use it as a picocli mixin.
final class DeviceOption {
    @Option(names = "--device", paramLabel = "cpu|cuda", converter = DeviceConverter.class,
            description = "Where to compute. Default: what is there.")
    private @Nullable Device requested;

    /// The device to use.
    ///
    /// @throws Failure.NoDevice where the one asked for is not there
    Device device() throws Failure {
        return Devices.detect().select(Optional.ofNullable(requested));
    }

    private static final class DeviceConverter implements ITypeConverter<Device> {
        @Override
        public Device convert(String value) {
            return switch (value) {
                case "cpu" -> Device.CPU;
                case "cuda" -> Device.CUDA;
                default -> throw new TypeConversionException("expected cpu or cuda, found \"" + value + "\"");
            };
        }
    }
}
