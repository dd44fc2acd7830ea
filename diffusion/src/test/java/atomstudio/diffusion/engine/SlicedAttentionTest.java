package atomstudio.diffusion.engine;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// An engine with memory for sliced attention only.
class SlicedAttentionTest {
    private static final Generation GENERATION = new Generation(new PromptPair("a red apple", ""),
            GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64), 1,
            List.of());

    @Test
    void switchesToSlicedAttentionWithOneWarning() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> warnings = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor expected = latents(DiffusionPipeline.of(model, engine));
            assertClose("latents", expected, latents(DiffusionPipeline.of(model, lowMemory(engine), warnings::add)),
                    1e-5);
            assertTrue(warnings.size() == 1 && warnings.getFirst().contains("slices"), warnings.toString());
            assertFalse(engine.enableAttentionSlicing(), "already sliced");
            assertThrows(Failure.OutOfMemory.class, () -> latents(DiffusionPipeline.of(model, lowMemory(engine))));
        }
    }

    /// At most 63 tokens, not divisible by eight.
    @Test
    void slicesOddSizes() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Generation odd = new Generation(new PromptPair("a red apple", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 72, 56), 1,
                List.of());
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor expected = finished(DiffusionPipeline.of(model, engine), odd);
            assertTrue(engine.enableAttentionSlicing());
            assertClose("latents", expected, finished(DiffusionPipeline.of(model, engine), odd), 1e-5);
        }
    }

    private static Tensor finished(DiffusionPipeline pipeline, Generation generation) throws Failure {
        return pipeline.sampleLatents(generation,
                StepListener.none()) instanceof SamplingResult.Finished(Tensor latents) ? latents : null;
    }

    private static Tensor latents(DiffusionPipeline pipeline) throws Failure {
        return finished(pipeline, GENERATION);
    }

    private static Engine lowMemory(Engine engine) {
        boolean[] sliced = {false};
        return (Engine) Proxy.newProxyInstance(Engine.class.getClassLoader(), new Class<?>[] {Engine.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("predictNoise") && !sliced[0])
                        throw new Failure.OutOfMemory("the UNet", new IllegalStateException("too large"));
                    try {
                        Object result = method.invoke(engine, arguments);
                        if (method.getName().equals("enableAttentionSlicing")) sliced[0] = (boolean) result;
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
