package atomstudio.tuning.torch;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchClipEncodersTest {
    @TempDir
    Path temporary;

    @Test
    void torchAndOnnxAgree() throws Exception {
        Tensor photos = ReferenceOps.random(3, 2, 3, 32, 32);
        int[][] ids = {{198, 5, 199, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
        try (Engine torch = open(ClipTestModels.MODEL);
                Engine onnx = OnnxEngine.open(DiffusionModel.open(ClipTestModels.MODEL), Device.CPU, 1)) {
            assertClose("pictures", torch.clipEncoders().orElseThrow().embedImages(photos),
                    onnx.clipEncoders().orElseThrow().embedImages(photos), 2e-5);
            assertClose("texts", torch.clipEncoders().orElseThrow().embedText(ids),
                    onnx.clipEncoders().orElseThrow().embedText(ids), 2e-5);
        }
    }

    @Test
    void reportsMissingImageEncoder() throws Exception {
        try (Engine engine = open(ClipTestModels.without(temporary))) {
            assertThrows(Failure.Incompatible.class,
                    () -> engine.clipEncoders().orElseThrow().embedImages(Tensor.zeros(Shape.of(1, 3, 32, 32))));
        }
    }

    private static Engine open(Path model) throws Failure {
        return TorchEngine.open(DiffusionModel.open(model), Device.CPU, TorchSettings.standard().withThreads(1))
                .networks();
    }
}
