package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.Device;

/// How ONNX Runtime is given a model's weights.
/// @param layoutLimitBytes bytes up to which a part's weights are copied into the layout, and widened to the type,
///     that is fastest; larger ones are used where they are mapped
/// @param adapterMode how they reach the UNet
/// @param unetPrecision  that the UNet computes in
public record OnnxSettings(long layoutLimitBytes, AdapterMode adapterMode, UNetPrecision unetPrecision) {
    public enum UNetPrecision {
        FLOAT32,
        /// The UNet's weights and activations; everything that goes in and comes out, and all other networks, stay in
        /// float32.
        FLOAT16
    }

    public OnnxSettings(long layoutLimitBytes, AdapterMode adapterMode) {
        this(layoutLimitBytes, adapterMode, UNetPrecision.FLOAT32);
    }

    public enum AdapterMode {
        /// Multiplied into the weights that they change, once for all looks under them.
        FUSED,
        /// Multiplied out anew in every look.
        RUNTIME
    }

    /// What was found best (docs/performance.md). Weights that adapters are folded into would be copied to a graphics
    /// processor at every look, which on the other hand has units for float16; nothing was measured on one.
    public static OnnxSettings of(Device device) {
        return new OnnxSettings(256L << 20, switch (device) {
            case CPU -> AdapterMode.FUSED;
            case CUDA -> AdapterMode.RUNTIME;
        }, switch (device) {
            case CPU -> UNetPrecision.FLOAT32;
            case CUDA -> UNetPrecision.FLOAT16;
        });
    }
}
