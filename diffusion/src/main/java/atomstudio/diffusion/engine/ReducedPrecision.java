package atomstudio.diffusion.engine;

/// A UNet that may compute in half precision.
@FunctionalInterface
public interface ReducedPrecision {
    /// Switches to full precision for good, after half precision overflowed. False if it is used already.
    boolean useFullPrecision();
}
