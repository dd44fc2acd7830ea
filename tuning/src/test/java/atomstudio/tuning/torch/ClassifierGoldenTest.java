package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.onnx.OnnxClassifier;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Classifiers of timm and transformers, with their logits by PyTorch (see make.py beside them).
class ClassifierGoldenTest {
    static final Path GOLDENS = Path.of("../diffusion/src/test/resources/goldens/classifiers");

    @TempDir
    Path temporary;

    @ParameterizedTest @ValueSource(strings = {"resnet", "resnet-basic", "convnext", "vit", "vit-timm", "efficientnet"})
    void bothEnginesEqualPyTorch(String name) throws Exception {
        ClassifierModel model = ClassifierModel.open(GOLDENS.resolve(name));
        try (SafetensorsFile golden = SafetensorsFile.open(GOLDENS.resolve(name).resolve("golden.safetensors"));
                TorchClassifier torch = TorchClassifier.open(model, OptionalInt.empty(), Device.CPU,
                        TorchSettings.standard());
                OnnxClassifier onnx = OnnxClassifier.open(model, Device.CPU, 1)) {
            Tensor pixels = golden.read("pixels"), expected = golden.read("logits");
            assertEqual("PyTorch", expected, torch.logits(pixels));
            assertEqual("ONNX Runtime", expected, onnx.logits(pixels));
        }
    }

    private static void assertEqual(String engine, Tensor expected, Tensor found) {
        Deviation deviation = Deviation.relative(engine, expected, found, 1e-4);
        assertTrue(deviation.isWithinTolerance(), deviation.toString());
    }

    @Test
    void timmsConfigurationGivesHeadsSizeAndNormalization() throws Exception {
        ClassifierModel model = ClassifierModel.open(GOLDENS.resolve("vit-timm"));
        assertEquals("vit_tiny_test", model.name());
        assertEquals(24, model.imageSize());
        assertEquals(0.9, model.cropShare());
        assertEquals(List.of(0.5, 0.5, 0.5), model.normalization().mean());
        assertEquals(6, model.network().classes());
    }

    @Test
    void headForOtherClassesReplacesTheStoredOne() throws Exception {
        ClassifierModel model = ClassifierModel.open(GOLDENS.resolve("resnet"));
        try (TorchClassifier torch = TorchClassifier.open(model, OptionalInt.of(7), Device.CPU,
                TorchSettings.standard())) {
            Tensor logits = torch.logits(Tensor.filled(Shape.of(1, 3, 32, 32), 1));
            assertEquals(Shape.of(1, 7), logits.shape());
            for (float logit : logits.data()) assertEquals(0, logit, "untrained");
        }
    }

    static Stream<Arguments> wrongFiles() {
        return Stream.of(Arguments.of("resnet", "fc.weight", "fc.weight: expected (1,64), found nothing"),
                Arguments.of("resnet", "bn1.running_mean", "expected a ResNet, ConvNeXt, ViT or EfficientNet-Lite"),
                Arguments.of("resnet", "layer2.0.bn3.running_var", "layer2.0.bn3.running_var.weight: expected (32)"),
                Arguments.of("convnext", "stages.1.blocks.0.gamma", "stages.1.blocks.0.gamma.weight: expected (8)"),
                Arguments.of("convnext", "stem.0.weight", "stem.0.weight: expected a tensor with 4 axes, found none"),
                Arguments.of("efficientnet", "_blocks.2._bn0.bias", "_blocks.2._bn0.bias: expected (12)"),
                Arguments.of("vit-timm", "blocks.1.attn.qkv.bias",
                        "vit.encoder.layer.1.attention.attention.query.bias: expected (32)"));
    }

    @ParameterizedTest @MethodSource("wrongFiles")
    void fileWithoutATensorIsNamed(String name, String missing, String message) throws Exception {
        Map<String, Tensor> tensors = new HashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(GOLDENS.resolve(name).resolve("model.safetensors"))) {
            for (String key : file.tensors().keySet()) if (!key.equals(missing)) tensors.put(key, file.read(key));
        }
        Path damaged = temporary.resolve("model.safetensors");
        SafetensorsWriter.write(damaged, tensors, Map.of());
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> OnnxClassifier.open(ClassifierModel.open(damaged), Device.CPU, 1));
        assertTrue(failure.getMessage().contains(damaged.toString()), failure.getMessage());
        assertTrue(failure.getMessage().contains(message), failure.getMessage());
    }

    @Test
    void missingFileAndOtherSizesAreNamed() throws Exception {
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ClassifierModel.open(temporary.resolve("none")))
                .getMessage()
                .contains("found nothing"));
        Files.createDirectories(temporary.resolve("empty"));
        assertThrows(Failure.Unreadable.class, () -> ClassifierModel.open(temporary.resolve("empty")));
        ClassifierModel vit = ClassifierModel.open(GOLDENS.resolve("vit"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> vit.withImageSize(32)).getMessage().contains("24"));
        assertEquals(64, ClassifierModel.open(GOLDENS.resolve("convnext")).withImageSize(64).imageSize());
    }
}
