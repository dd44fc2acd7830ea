package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.SlotLayout;
import java.util.List;
import java.util.Map;

/// What is differentiated: by the trained numbers of a layout, with its frozen numbers given (keyed `LAYER.SLOT`).
public record DifferentiationInput(SlotLayout layout, Map<String, Tensor> constants, Activations activations, Precision precision) {
    /// What a step keeps of its forward pass; the rest is computed again when its gradient is asked for. The gradients are the same.
    public enum Activations {
        /// Everything that gradients need.
        KEPT,
        /// All but what is large and quickly computed again: within feed-forward blocks, and between a norm and its activation.
        LEAN,
        /// The inputs of each block alone (gradient checkpointing).
        RECOMPUTED;

        /// How the network names those segments: the gated half of a feed-forward block, and the norms of a residual block.
        private static final List<String> QUICK = List.of(".ff.net.0", ".norm1", ".norm2");

        boolean recomputes(String segment) {
            return switch (this) {
                case KEPT -> false;
                case LEAN -> QUICK.stream().anyMatch(segment::endsWith);
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
