package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;

/// How weights and adapters are given to ONNX Runtime.
/// @param layoutLimitBytes size up to which a component's weights are copied into the fastest layout and element type;
///     larger ones are used from the mapped file
/// @param adapterMode how adapters are applied to the UNet
/// @param unetPrecision in which the UNet computes
public record OnnxSettings(long layoutLimitBytes, AdapterMode adapterMode, UNetPrecision unetPrecision) {
    public enum UNetPrecision {
        FLOAT32,
        /// For the UNet's weights and activations; its inputs and output and all other networks stay float32.
        FLOAT16
    }

    public OnnxSettings(long layoutLimitBytes, AdapterMode adapterMode) {
        this(layoutLimitBytes, adapterMode, UNetPrecision.FLOAT32);
    }

    public enum AdapterMode {
        /// Fused into the weights once, for all steps with the same adapters.
        FUSED,
        /// Applied in every run of the UNet.
        RUNTIME
    }

    /// The defaults of a device. On the CPU they are the fastest measured (docs/performance.md). On CUDA they are not
    /// measured: fused weights would be copied to the device in every run, and it computes fast in float16.
    public static OnnxSettings of(Device device) {
        return new OnnxSettings(256L << 20, switch (device) {
            case Device.Cpu _, ProviderDevice _ -> AdapterMode.FUSED;
            case Device.Cuda _ -> AdapterMode.RUNTIME;
        }, switch (device) {
            case Device.Cpu _, ProviderDevice _ -> UNetPrecision.FLOAT32;
            case Device.Cuda _ -> UNetPrecision.FLOAT16;
        });
    }
}
