package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Towers;
import atomstudio.diffusion.engine.TowersLaw;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchTowersTest implements TowersLaw {
    @TempDir Path temporary;

    @Test void bothEnginesSayTheSame() throws Exception {
        Tensor pictures = Plain.random(3, 2, 3, 32, 32);
        int[][] ids = {{198, 5, 199, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
        try (TorchEngine torch = open(Towers.MODEL); OnnxEngine onnx = OnnxEngine.open(ModelFolder.open(Towers.MODEL), Device.CPU, 1)) {
            assertClose("pictures", torch.embedPictures(pictures), onnx.embedPictures(pictures), 2e-5);
            assertClose("texts", torch.embedText(ids), onnx.embedText(ids), 2e-5);
        }
    }

    @Test void aModelWithoutATowerSaysSo() throws Exception {
        try (TorchEngine engine = open(Towers.without(temporary))) {
            assertThrows(Failure.Incompatible.class, () -> engine.embedPictures(Tensor.zeros(Shape.of(1, 3, 32, 32))));
        }
    }

    @Override public TorchEngine open(Path model) throws Failure {
        return TorchEngine.open(ModelFolder.open(model), Device.CPU, TorchSettings.standard().withThreads(1));
    }
}
