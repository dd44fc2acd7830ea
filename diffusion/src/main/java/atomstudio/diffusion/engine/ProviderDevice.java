package atomstudio.diffusion.engine;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/// A device of an execution provider that was added to ONNX Runtime as a plugin, and how networks compute on it.
/// @param name unique on this machine: `openvino-cpu`, `openvino-gpu`, `webgpu`
/// @param compileCache folder in which the provider keeps compiled networks; empty: compiled for every session
public record ProviderDevice(String name, Hardware hardware, Precision precision, Optional<Path> compileCache)
        implements
        Device {
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

    public ProviderDevice withPrecision(Precision other) {
        return new ProviderDevice(name, hardware, other, compileCache);
    }

    /// @param folder is created when needed
    public ProviderDevice withCompileCache(Path folder) {
        return new ProviderDevice(name, hardware, precision, Optional.of(folder));
    }

    @Override
    public Device torchDevice() {
        return CPU;
    }
}
