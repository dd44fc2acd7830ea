package atomstudio.diffusion.onnx;

/// From where on memory counts for more than time, in bytes of weights.
/// @param folded up to which adapters are multiplied into the weights that they change, however few looks are to come
/// @param copied up to which weights are copied into the layout, and widened to the type, that is fastest; larger ones are used where they are mapped
public record Limits(long folded, long copied) {
    public static Limits usual() {
        return new Limits(256L << 20, 256L << 20);
    }
}
