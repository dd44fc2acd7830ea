package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.SlotLayout;
import java.util.Map;

/// What is differentiated: by the trained numbers of a layout, with its frozen numbers given (keyed `LAYER.SLOT`).
public record DifferentiationInput(SlotLayout layout, Map<String, Tensor> constants, Activations activations, Precision precision) {
    /// What a step keeps of its forward pass; the rest is computed again when its gradient is asked for. The gradients are the same.
    public enum Activations {
        /// Everything that gradients need.
        KEPT,
        /// All but the feed-forward blocks' own, which are large and quickly computed again.
        LEAN,
        /// The inputs of each block alone (gradient checkpointing).
        RECOMPUTED;

        /// How the networks name their feed-forward segments.
        private static final String FEED_FORWARD = ".ff";

        boolean recomputes(String segment) {
            return switch (this) {
                case KEPT -> false;
                case LEAN -> segment.endsWith(FEED_FORWARD);
                case RECOMPUTED -> true;
            };
        }
    }

    public DifferentiationInput {
        constants = Map.copyOf(constants);
    }

    /// With everything kept, in float32.
    public DifferentiationInput(SlotLayout layout, Map<String, Tensor> constants) {
        this(layout, constants, Activations.KEPT, Precision.FP32);
    }
}
