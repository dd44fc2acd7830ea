package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.optimize.Orthogonalization;

/// Muon's matrices made nearly orthogonal by PyTorch, on its device and with its threads.
public record NewtonSchulz(Torch torch) implements Orthogonalization {
    @Override public float[] orthogonalize(float[] matrix, int rows, int columns) throws Failure {
        TorchKernels.MatrixOrder turn = rows > columns ? TorchKernels.MatrixOrder.TRANSPOSED : TorchKernels.MatrixOrder.PLAIN;
        return TorchFailures.translate("optimizer", () -> {
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                return torch.tensor(torch.kernels().orthogonalize(torch.array(new Tensor(Shape.of(rows, columns), matrix)), turn)).data();
            }
        });
    }
}
