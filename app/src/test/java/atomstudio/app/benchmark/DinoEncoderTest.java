package atomstudio.app.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.onnx.OnnxImageFeatures;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.tuning.measure.ClipEmbedding;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A ViT in the layout of facebook/dino-vits16 with random weights, and its class token by transformers (see make.py
/// beside it).
class DinoEncoderTest {
    private static final Path DINO = Shared.own("goldens/dino");

    @TempDir
    Path folder;

    @Test
    void theClassTokenEqualsThatOfTransformers() throws Failure {
        try (SafetensorsFile golden = SafetensorsFile.open(DINO.resolve("golden.safetensors"));
                OnnxImageFeatures network = OnnxImageFeatures.open(ClassifierModel.open(DINO), Device.CPU, 1)) {
            Deviation deviation = Deviation.relative("features", golden.read("features"),
                    network.embed(golden.read("pixels")), 1e-4);
            assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }

    @Test
    void theProtocolsDifferInTheirInput() throws Failure {
        RgbImage image = new RgbImage(32, 32, new int[32 * 32]);
        for (int i = 0; i < image.argb().length; i++) image.argb()[i] = 0xFF000000 | i * 2654435;
        try (DinoEncoder dino = DinoEncoder.open(DinoEncoder.encoder(DINO), Device.CPU)) {
            ClipEmbedding cropped = dino.embed(List.of(image), BenchmarkProtocol.DREAMBOOTH).getFirst();
            ClipEmbedding resized = dino.embed(List.of(image), BenchmarkProtocol.OFT).getFirst();
            assertEquals(32, cropped.unitVector().length);
            assertEquals(1, cropped.cosine(cropped), 1e-6);
            assertTrue(cropped.cosine(resized) < 0.9999, "crop and resize give different inputs");
        }
    }

    @Test
    void otherNetworksAndOtherWeightsAreRefused() throws Exception {
        Path resnet = Shared.own("goldens/classifiers/resnet/model.safetensors");
        assertTrue(assertThrows(Failure.Incompatible.class, () -> DinoEncoder.encoder(resnet)).getMessage()
                .contains("expected a ViT"));
        for (String name : List.of("config.json", "model.safetensors"))
            Files.copy(DINO.resolve(name), folder.resolve(name));
        BenchmarkSettings.Encoder other = new BenchmarkSettings.Encoder(folder, "0".repeat(64));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> DinoEncoder.open(other, Device.CPU)).getMessage()
                .contains("planned with"));
    }
}
