package atomstudio.diffusion.engine;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
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
            LowMemory unet = new LowMemory(engine.noisePredictor());
            assertClose("latents", expected, latents(DiffusionPipeline.of(model, with(engine, unet), warnings::add)),
                    1e-5);
            assertEquals(List.of("Not enough memory for full attention: it is computed in slices from now on, more "
                    + "slowly, with the same result."), warnings);
            assertEquals(1, unet.rejected, "sliced for good");
            assertFalse(unet.enableAttentionSlicing(), "already sliced");
            LowMemory slicedBefore = new LowMemory(engine.noisePredictor());
            assertThrows(Failure.OutOfMemory.class,
                    () -> latents(DiffusionPipeline.of(model, with(engine, slicedBefore), warnings::add)));
            assertEquals(1, warnings.size(), "no warning without a change");
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
            assertTrue(((SliceableAttention) engine.noisePredictor()).enableAttentionSlicing());
            assertClose("latents", expected, finished(DiffusionPipeline.of(model, engine), odd), 1e-5);
        }
    }

    private static Tensor finished(DiffusionPipeline pipeline, Generation generation) throws Failure {
        return pipeline.sampleLatents(generation,
                StepListener.none()).orElseThrow();
    }

    private static Tensor latents(DiffusionPipeline pipeline) throws Failure {
        return finished(pipeline, GENERATION);
    }

    private static Engine with(Engine engine, NoisePredictor unet) {
        return new Engine(engine.textEncoder(), unet, engine.autoencoder(), engine.clipEncoders());
    }

    /// A UNet that runs out of memory until its attention is sliced.
    private static final class LowMemory implements NoisePredictor, SliceableAttention {
        private final NoisePredictor unet;
        private boolean sliced;
        private int rejected;

        LowMemory(NoisePredictor unet) {
            this.unet = unet;
        }

        @Override
        public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning,
                List<WeightedAdapter> adapters) throws Failure {
            if (sliced) return unet.predict(latents, timesteps, conditioning, adapters);
            rejected++;
            throw new Failure.OutOfMemory("the UNet", new IllegalStateException("too large"));
        }

        @Override
        public boolean enableAttentionSlicing() {
            boolean switched = ((SliceableAttention) unet).enableAttentionSlicing();
            sliced |= switched;
            return switched;
        }
    }
}
