package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LatentPreviewerTest {
    @Test
    void latent2RgbPreviewResemblesTheImage() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            LatentPreviewer previewer = Latent2RgbPreviewer.fit(model, engine.autoencoder());
            for (Path file : new Path[] {Shared.own("goldens/from-pictures/picture.png"),
                    Shared.root().resolve("assets/subjects/owl/01.png")}) {
                RgbImage image = ImageFiles.read(file);
                RgbImage preview = previewer.preview(latents(model, engine, image));
                assertEquals(image.width() + "x" + image.height(), preview.width() + "x" + preview.height());
                double grey = difference(image, RgbImage.filled(image.width(), image.height(), 0x808080));
                double found = difference(image, preview);
                assertTrue(found < 0.8 * grey, file + ": " + found + " levels of error, a grey image has " + grey);
            }
        }
    }

    @Test
    void smallModelsUseTheirOwnDecoder() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            RgbImage image = ImageFiles.read(Shared.own("goldens/from-pictures/picture.png"));
            assertTrue(
                    difference(image,
                            LatentPreviewer.fastest(model, engine.autoencoder()).preview(latents(model, engine, image)))
                            < 12);
        }
    }

    private static Tensor latents(DiffusionModel model, Engine engine, RgbImage image) throws Exception {
        Tensor latents = engine.autoencoder().encode(image.toTensor()).mean();
        for (int i = 0; i < latents.data().length; i++) latents.data()[i] *= (float) model.vae().scalingFactor();
        return latents;
    }

    /// Root mean square difference in levels after downscaling both to 16 x 16.
    private static double difference(RgbImage one, RgbImage other) {
        RgbImage a = one.resize(16, 16, Resampling.BILINEAR);
        RgbImage b = other.resize(16, 16, Resampling.BILINEAR);
        double squares = 0;
        for (int i = 0; i < 256; i++)
            for (int shift = 0; shift <= 16; shift += 8)
                squares += Math.pow((a.argb()[i] >> shift & 0xFF) - (b.argb()[i] >> shift & 0xFF), 2);
        return Math.sqrt(squares / 768);
    }
}
