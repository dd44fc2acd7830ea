package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.Device;

/// How ONNX Runtime is given a model's weights.
/// @param copied bytes up to which a part's weights are copied into the layout, and widened to the type, that is fastest; larger ones are used where they are mapped
/// @param adapters how they reach the UNet
/// @param numbers  that the UNet computes in
public record OnnxSettings(long copied, Adapters adapters, Numbers numbers) {
    public enum Numbers {
        FLOAT32,
        /// The UNet's weights and activations; everything that goes in and comes out, and all other networks, stay in float32.
        FLOAT16
    }

    public OnnxSettings(long copied, Adapters adapters) {
        this(copied, adapters, Numbers.FLOAT32);
    }

    public enum Adapters {
        /// Multiplied into the weights that they change, once for all looks under them.
        FOLDED,
        /// Multiplied out anew in every look.
        LIVE
    }

    /// What was found best (docs/performance.md). Weights that adapters are folded into would be copied to a graphics processor at every look, which
    /// on the other hand has units for float16; nothing was measured on one.
    public static OnnxSettings of(Device device) {
        return new OnnxSettings(256L << 20, switch (device) {
            case CPU -> Adapters.FOLDED;
            case CUDA -> Adapters.LIVE;
        }, switch (device) {
            case CPU -> Numbers.FLOAT32;
            case CUDA -> Numbers.FLOAT16;
        });
    }
}
