package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;
import java.util.Map;

/// What is differentiated: by the trained numbers of a layout, with its frozen numbers given (keyed `LAYER.SLOT`).
/// Derived numbers that are not given are the engine's ([TorchEngine#derive]).
public record DifferentiationInput(ParameterLayout layout, Map<String, Tensor> constants, Activations activations, Precision precision) {
    /// What a step keeps of its forward pass; the rest is computed again when its gradient is asked for. The gradients are the same.
    public enum Activations {
        /// Everything that gradients need.
        KEPT,
        /// All but what is large and quickly computed again: within feed-forward blocks, between a norm and its activation, and weights that a method changes.
        LEAN,
        /// The inputs of each block alone (gradient checkpointing).
        RECOMPUTED;

        /// How the network names those segments: the gated half of a feed-forward block, and the norms of a residual block.
        private static final String GATED = ".ff.net.0";
        private static final List<String> NORMS = List.of(".norm1", ".norm2");
        /// A product over that many channels costs too much for what its result holds, which is as large at any width.
        private static final long WIDE = 1024;

        /// @param input of the segment: (B,S,C) of feed-forward blocks
        boolean recomputes(String segment, Shape input) {
            return switch (this) {
                case KEPT -> false;
                case LEAN -> NORMS.stream().anyMatch(segment::endsWith) || segment.endsWith(GATED) && input.size(input.rank() - 1) < WIDE;
                case RECOMPUTED -> true;
            };
        }
    }

    public DifferentiationInput {
        constants = Map.copyOf(constants);
    }

    /// With everything kept, in float32.
    public DifferentiationInput(ParameterLayout layout, Map<String, Tensor> constants) {
        this(layout, constants, Activations.KEPT, Precision.FP32);
    }
}
