package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.torch.TorchEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EngineNameTest {
    private static final Generation GENERATION = new Generation(new PromptPair("a red apple", ""),
            GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 4), 4, 64, 64), 1,
            List.of());

    @Test
    void autoOpensOnnxForASmallModel() throws Exception {
        DiffusionModel model = DiffusionModel.open(Assets.find().defaultModel());
        try (Engine auto = EngineName.AUTO.open(model, Device.CPU);
                Engine onnx = EngineName.ONNX.open(model, Device.CPU);
                Engine torch = EngineName.TORCH.open(model, Device.CPU)) {
            assertEquals(onnx.noisePredictor().getClass(), auto.noisePredictor().getClass());
            assertEquals(OnnxEngine.class.getPackage(), onnx.noisePredictor().getClass().getPackage());
            assertEquals(TorchEngine.class.getPackage(), torch.noisePredictor().getClass().getPackage());
        }
    }

    @Test
    void imagesOfBothEnginesDifferByRounding() throws Exception {
        DiffusionModel model = DiffusionModel.open(Assets.find().defaultModel());
        List<RgbImage> images = new ArrayList<>();
        for (EngineName name : List.of(EngineName.ONNX, EngineName.TORCH)) {
            try (ImageGenerator generator = ImageGenerator.open(model, Device.CPU, name, warning -> {})) {
                images.add(generator.generate(GENERATION, StepListener.none()).orElseThrow());
            }
        }
        try (Engine both = EngineName.ONNX.open(model, Device.CPU)
                .withNoisePredictor(EngineName.TORCH.open(model, Device.CPU).noisePredictor())) {
            RgbImage split = DiffusionPipeline.of(model, both).generate(GENERATION, StepListener.none()).orElseThrow();
            assertTrue(rootMeanSquare(images.getLast(), split) < 0.5,
                    "text encoder and decoder on the other engine, of 255: " + rootMeanSquare(images.getLast(), split));
        }
        double difference = rootMeanSquare(images.getFirst(), images.getLast());
        assertTrue(difference < 0.5, "of 255: " + difference);
    }

    private static double rootMeanSquare(RgbImage first, RgbImage second) {
        double squares = 0;
        int[] one = first.argb();
        int[] other = second.argb();
        for (int i = 0; i < one.length; i++) {
            for (int shift = 0; shift <= 16; shift += 8)
                squares += Math.pow((one[i] >> shift & 0xFF) - (other[i] >> shift & 0xFF), 2);
        }
        return Math.sqrt(squares / (3.0 * one.length));
    }

    @Test
    void ofOption() {
        assertEquals(Optional.of(EngineName.TORCH), EngineName.ofOption("torch"));
        assertEquals(Optional.empty(), EngineName.ofOption("Torch"));
    }
}
