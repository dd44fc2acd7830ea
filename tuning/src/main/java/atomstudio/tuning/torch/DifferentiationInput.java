package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.SlotLayout;
import java.util.Map;

/// What is differentiated: by the trained numbers of a layout, with its frozen numbers given (keyed `LAYER.SLOT`).
public record DifferentiationInput(SlotLayout layout, Map<String, Tensor> constants) {
    public DifferentiationInput {
        constants = Map.copyOf(constants);
    }
}
