package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import java.util.List;
import java.util.Map;

/// The parameters that a loss is differentiated by, and how.
/// @param frozenValues of the layout, keyed `LAYER.PARAMETER`; missing derived values are the engine's
///     ([TorchEngine#derive])
public record DenoisingLossOptions(ParameterLayout layout, Map<String, Tensor> frozenValues,
        Checkpointing checkpointing, ComputeDtype computeDtype) {
    /// Which activations of the forward pass are saved; the others are recomputed in the backward pass. The gradients
    /// are the same.
    public enum Checkpointing {
        /// Saves all activations.
        NONE,
        /// Recomputes what is large and cheap: inside feed-forward blocks, between a norm and its activation, and
        /// effective weights.
        SELECTIVE,
        /// Saves only the inputs of each block (gradient checkpointing).
        FULL;

        /// The network's names of these segments: the gated half of a feed-forward block, and the norms of a residual
        /// block.
        private static final String GATED_PROJECTION = ".ff.net.0";
        private static final List<String> NORMS = List.of(".norm1", ".norm2");

        /// @param input of the segment: (B, S, C) for feed-forward blocks
        boolean recomputes(String segment, Shape input) {
            return switch (this) {
                case NONE -> false;
                case SELECTIVE -> NORMS.stream().anyMatch(segment::endsWith)
                        || segment.endsWith(GATED_PROJECTION) && KernelThresholds.prefersRecomputing(input);
                case FULL -> true;
            };
        }
    }

    public DenoisingLossOptions {
        frozenValues = Map.copyOf(frozenValues);
    }

    /// Without checkpointing, in float32.
    public DenoisingLossOptions(ParameterLayout layout, Map<String, Tensor> frozenValues) {
        this(layout, frozenValues, Checkpointing.NONE, ComputeDtype.FP32);
    }
}
