package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Img2img, inpainting and hires fix against the reference pipelines; `make.py` beside the goldens made them.
class Img2ImgGoldenTest {
    private static final Path GOLDENS = Shared.own("goldens/from-pictures");

    @ParameterizedTest
    @ValueSource(strings = {"img2img-ddim-0.5", "img2img-ddim-0.8", "img2img-euler-0.5", "img2img-euler-0.8",
            "img2img-euler-a", "inpaint-ddim", "inpaint-ddim-0.7", "inpaint-euler", "inpaint-euler-a",
            "inpaint-heun-0.6", "inpaint-heun-1.0", "inpaint-dpm2-0.6", "inpaint-dpm2-a-1.0", "inpaint-pndm-1.0",
            "inpaint-lms-1.0", "inpaint-tcd-0.6",
            "img2img-heun-0.6", "img2img-dpm2-0.6", "img2img-dpm2-a-0.6", "img2img-unipc-0.6", "img2img-tcd-0.6",
            "hires-ddim-2", "hires-euler-1.5"})
    void latentsMatchTheReferencePipelines(String name) throws Exception {
        check(name, Shared.root().resolve("assets/default-model"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nine-ddim", "nine-ddim-0.7", "nine-euler-a"})
    void inpaintingModelMatchesTheReferencePipeline(String name) throws Exception {
        check(name, Shared.own("goldens/nets/inpaint/model"));
    }

    private static void check(String name, Path modelFolder) throws Exception {
        DiffusionModel model = DiffusionModel.open(modelFolder);
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2);
                SafetensorsFile golden = SafetensorsFile.open(GOLDENS.resolve(name + ".safetensors"))) {
            assertTrue(Img2ImgGolden.recognizes(golden));
            for (Deviation deviation : Img2ImgGolden.compare(golden, model, engine))
                assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }

    @Test
    void listenerCountsTheStepsOfBothPassesAndCanStopInBoth() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2);
                SafetensorsFile golden = SafetensorsFile.open(GOLDENS.resolve("hires-euler-1.5.safetensors"))) {
            Generation generation = Img2ImgGolden.generation(golden, model);
            DiffusionPipeline pipeline = DiffusionPipeline.of(model, engine);
            int[] steps = {0};
            assertTrue(pipeline.sampleLatents(generation,
                    progress -> progress.completedSteps() == ++steps[0] ? StepListener.Next.CONTINUE
                            : StepListener.Next.STOP)
                    .isPresent());
            assertEquals(pipeline.stepCount(generation), steps[0]);
            int last = steps[0] - 1;
            assertTrue(pipeline.sampleLatents(generation,
                    progress -> progress.completedSteps() == last ? StepListener.Next.STOP
                            : StepListener.Next.CONTINUE)
                    .isEmpty());
        }
    }
}
