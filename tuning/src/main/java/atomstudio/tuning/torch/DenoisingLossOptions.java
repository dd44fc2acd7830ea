package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;
import java.util.Map;

/// What is differentiated: by the trained numbers of a layout, with its frozen numbers given (keyed `LAYER.SLOT`).
/// Derived numbers that are not given are the engine's ([TorchEngine#derive]).
public record DenoisingLossOptions(ParameterLayout layout, Map<String, Tensor> frozenValues, Checkpointing checkpointing, ComputeDtype computeDtype) {
    /// What a step keeps of its forward pass; the rest is computed again when its gradient is asked for. The
    /// gradients are the same.
    public enum Checkpointing {
        /// Everything that gradients need.
        NONE,
        /// All but what is large and quickly computed again: within feed-forward blocks, between a norm and its
        /// activation, and weights that a method changes.
        SELECTIVE,
        /// The inputs of each block alone (gradient checkpointing).
        FULL;

        /// How the network names those segments: the gated half of a feed-forward block, and the norms of a residual
        /// block.
        private static final String GATED_PROJECTION = ".ff.net.0";
        private static final List<String> NORMS = List.of(".norm1", ".norm2");
        /// A product over that many channels costs too much for what its result holds, which is as large at any width.
        private static final long MAX_RECOMPUTED_CHANNELS = 1024;

        /// @param input of the segment: (B,S,C) of feed-forward blocks
        boolean recomputes(String segment, Shape input) {
            return switch (this) {
                case NONE -> false;
                case SELECTIVE -> NORMS.stream().anyMatch(segment::endsWith) || segment.endsWith(GATED_PROJECTION) && input.size(input.rank() - 1) < MAX_RECOMPUTED_CHANNELS;
                case FULL -> true;
            };
        }
    }

    public DenoisingLossOptions {
        frozenValues = Map.copyOf(frozenValues);
    }

    /// With everything kept, in float32.
    public DenoisingLossOptions(ParameterLayout layout, Map<String, Tensor> frozenValues) {
        this(layout, frozenValues, Checkpointing.NONE, ComputeDtype.FP32);
    }
}
