package atomstudio.diffusion.engine;

/// A UNet whose attention can be computed in slices.
@FunctionalInterface
public interface SliceableAttention {
    /// Switches to sliced attention for good: less memory, more time. False if it is sliced already.
    boolean enableAttentionSlicing();
}
