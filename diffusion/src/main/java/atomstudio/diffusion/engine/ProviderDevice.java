package atomstudio.diffusion.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// A device of an execution provider that was added to ONNX Runtime as a plugin, and how networks compute on it.
/// @param name unique on this machine: `openvino-cpu`, `openvino-gpu`, `webgpu`
/// @param compileCache folder in which the provider keeps compiled networks; empty: compiled for every session
/// @param process in which the plugin is loaded; empty: this one
public record ProviderDevice(String name, Hardware hardware, Precision precision, Optional<Path> compileCache,
        Optional<ProviderCommand> process) implements Device {
    /// The program that loads the plugin and computes for other processes, until the end of its standard input.
    /// @param log receives its error output
    public record ProviderCommand(List<String> command, Path log) {
        public ProviderCommand {
            command = List.copyOf(command);
        }
    }

    /// A device in this process that compiles for every session.
    public ProviderDevice(String name, Hardware hardware, Precision precision) {
        this(name, hardware, precision, Optional.empty(), Optional.empty());
    }

    /// A device as the provider reports it.
    /// @param provider ONNX Runtime's name of the execution provider: `OpenVINOExecutionProvider`
    /// @param vendor of the provider
    /// @param model the device's full name; empty if not reported
    /// @param memoryBytes memory of the device, if reported
    public record Hardware(String provider, String vendor, Kind kind, String model, OptionalLong memoryBytes) {
        public enum Kind { CPU, GPU, NPU }
    }

    /// In which networks compute, as far as the provider supports it.
    public enum Precision { FLOAT32, FLOAT16, BFLOAT16 }

    /// Whether the provider computes in the precision that is chosen here. All others but OpenVINO compute in the
    /// graph's float32, or as their driver decides.
    public boolean takesPrecision() {
        return hardware.provider().startsWith("OpenVINO");
    }

    public ProviderDevice withPrecision(Precision other) {
        return new ProviderDevice(name, hardware, other, compileCache, process);
    }

    /// @param folder is created when needed
    public ProviderDevice withCompileCache(Path folder) {
        return new ProviderDevice(name, hardware, precision, Optional.of(folder), process);
    }

    /// @param command the plugin is loaded there and not in this process
    public ProviderDevice withProcess(ProviderCommand command) {
        return new ProviderDevice(name, hardware, precision, compileCache, Optional.of(command));
    }

    @Override
    public Device torchDevice() {
        return CPU;
    }
}
