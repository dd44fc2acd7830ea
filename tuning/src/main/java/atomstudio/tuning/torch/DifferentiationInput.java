package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.SlotLayout;
import java.util.Map;

/// What is differentiated: by the trained numbers of a layout, with its frozen numbers given (keyed `LAYER.SLOT`).
public record DifferentiationInput(SlotLayout layout, Map<String, Tensor> constants, Activations activations) {
    /// What a step keeps of its forward pass: everything that gradients need, or the inputs of each block alone, from which the rest is
    /// computed again (gradient checkpointing). The gradients are the same.
    public enum Activations { KEPT, RECOMPUTED }

    public DifferentiationInput {
        constants = Map.copyOf(constants);
    }

    /// With everything kept.
    public DifferentiationInput(SlotLayout layout, Map<String, Tensor> constants) {
        this(layout, constants, Activations.KEPT);
    }
}
