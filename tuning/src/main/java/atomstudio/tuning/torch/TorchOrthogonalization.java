package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.optimize.Orthogonalization;

/// Muon's matrices made nearly orthogonal by PyTorch, on its device and with its threads.
public record TorchOrthogonalization(Torch torch) implements Orthogonalization {
    @Override public float[] orthogonalize(float[] matrix, int rows, int columns) throws Failure {
        Kernels.Turn turn = rows > columns ? Kernels.Turn.TRANSPOSED : Kernels.Turn.PLAIN;
        return NativeFailures.guard("optimizer", () -> {
            try (TorchScope scope = torch.scope(Recording.OFF)) {
                return torch.tensor(torch.kernels().orthogonal(torch.array(new Tensor(Shape.of(rows, columns), matrix)), turn)).data();
            }
        });
    }
}
