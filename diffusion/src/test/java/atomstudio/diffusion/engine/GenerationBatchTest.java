package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.TensorAssert;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.sample.TorchRandom;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A batch of images equals the images one at a time.
class GenerationBatchTest {
    private static final List<Long> SEEDS = List.of(7L, 8L, 1L << 40);
    private static final double TOLERANCE = 1e-4;

    private static DiffusionModel model;
    private static Engine engine;

    @BeforeAll
    static void open() throws Exception {
        model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        engine = OnnxEngine.open(model, Device.CPU, 2);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static Generation generation(SamplerName sampler, double guidance) {
        return new Generation(new PromptPair("a [red:green:0.5] apple", "a cat"),
                GenerationSettings.of(SamplingSettings.of(sampler, ScheduleName.AUTOMATIC, 3), guidance, 64, 56), 0,
                List.of());
    }

    private static void assertEqualsSingleImages(Generation generation) throws Failure {
        DiffusionPipeline pipeline = DiffusionPipeline.of(model, engine);
        Tensor batch = pipeline.sampleLatents(new GenerationBatch(generation, SEEDS), StepListener.none())
                .orElseThrow();
        for (int i = 0; i < SEEDS.size(); i++) {
            Tensor alone = pipeline.sampleLatents(generation.withSeed(SEEDS.get(i)), StepListener.none()).orElseThrow();
            TensorAssert.assertClose("image " + i, alone, batch.rows(i, i + 1), TOLERANCE);
        }
        assertFalse(batch.rows(0, 1).equals(batch.rows(1, 2)), "seeds differ");
    }

    @ParameterizedTest @EnumSource(SamplerName.class)
    void equalsSingleImagesWithAnySampler(SamplerName sampler) throws Exception {
        assertEqualsSingleImages(generation(sampler, 4));
    }

    @Test
    void equalsSingleImagesWithoutGuidance() throws Exception {
        assertEqualsSingleImages(generation(SamplerName.EULER_ANCESTRAL, 1));
    }

    @Test
    void equalsSingleImagesInTwoPasses() throws Exception {
        assertEqualsSingleImages(generation(SamplerName.DPM_PLUS_PLUS_2M_SDE, 4).with(new Hires(1.5, 0.7)));
    }

    @Test
    void equalsSingleImagesFromAnImage() throws Exception {
        RgbImage image = gradient(64, 56);
        for (Optional<Mask> mask : List.of(Optional.<Mask>empty(), Optional.of(Mask.of(gradient(64, 56)))))
            assertEqualsSingleImages(generation(SamplerName.EULER_ANCESTRAL, 4)
                    .withSource(new Source.FromImage(image, mask, 0.7)));
    }

    /// From black to white.
    private static RgbImage gradient(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) argb[i] = 0xFF000000 | 0x010101 * (255 * (i % width) / (width - 1));
        return new RgbImage(width, height, argb);
    }

    /// The mask and the masked image's latents are further channels of each image.
    @Test
    void equalsSingleImagesOfAnInpaintingModel() throws Exception {
        DiffusionModel inpainting = DiffusionModel.open(Shared.own("goldens/nets/inpaint/model"));
        TorchRandom random = new TorchRandom(1);
        Shape context = Shape.of(1, 5, inpainting.unet().crossAttentionDim());
        ConditioningSchedule conditioning = ConditioningSchedule
                .of(new PromptEmbeddings(random.randn(context), random.randn(context)));
        Generation generation = generation(SamplerName.EULER_ANCESTRAL, 4)
                .withSource(new Source.FromImage(gradient(64, 56), Optional.of(Mask.of(gradient(64, 56))), 1));
        try (Engine networks = OnnxEngine.open(inpainting, Device.CPU, 2)) {
            LatentSampler sampler = new LatentSampler(inpainting, networks.noisePredictor(), networks.autoencoder());
            Tensor batch = sampler.sample(new GenerationBatch(generation, SEEDS), conditioning, StepListener.none())
                    .orElseThrow();
            for (int i = 0; i < SEEDS.size(); i++) {
                Tensor alone = sampler.sample(GenerationBatch.of(generation.withSeed(SEEDS.get(i))), conditioning,
                        StepListener.none()).orElseThrow();
                TensorAssert.assertClose("image " + i, alone, batch.rows(i, i + 1), TOLERANCE);
            }
        }
    }

    @Test
    void deliversImagesInOrderAndStopsWithTheListener() throws Exception {
        DiffusionPipeline pipeline = DiffusionPipeline.of(model, engine);
        Generation generation = generation(SamplerName.DDIM, 4);
        GenerationBatch batch = new GenerationBatch(generation, SEEDS);
        List<Integer> rows = new ArrayList<>();
        List<Integer> steps = new ArrayList<>();
        assertTrue(pipeline.generate(batch, progress -> {
            steps.add(progress.completedSteps());
            assertEquals(SEEDS.size(), progress.denoised().shape().size(0));
            return Next.CONTINUE;
        }, (row, image) -> {
            rows.add(row);
            assertEquals(pipeline.generate(generation.withSeed(SEEDS.get(row)), StepListener.none()).orElseThrow(),
                    image);
        }));
        assertEquals(List.of(0, 1, 2), rows);
        assertEquals(List.of(1, 2, 3), steps);
        assertFalse(pipeline.generate(batch, progress -> Next.STOP, (row, image) -> {
            throw new AssertionError("stopped");
        }));
    }

    @Test
    void isHalvedWhenMemoryIsShort() throws Exception {
        List<Integer> rows = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        NoisePredictor limited = (latents, timesteps, conditioning, adapters) -> {
            rows.add(timesteps.length);
            if (timesteps.length > 2) throw new Failure.OutOfMemory("UNet", new IllegalStateException("too large"));
            return engine.noisePredictor().predict(latents, timesteps, conditioning, adapters);
        };
        DiffusionPipeline pipeline = DiffusionPipeline.of(model,
                new Engine(engine.textEncoder(), limited, engine.autoencoder(), engine.clipEncoders()), warnings::add);
        GenerationBatch batch = new GenerationBatch(generation(SamplerName.EULER_ANCESTRAL, 4), SEEDS);
        Tensor expected = DiffusionPipeline.of(model, engine)
                .sampleLatents(batch, StepListener.none())
                .orElseThrow();
        TensorAssert.assertClose("latents", expected,
                pipeline.sampleLatents(batch, StepListener.none()).orElseThrow(), TOLERANCE);
        assertEquals(List.of(6, 3, 2, 1, 2, 1, 2, 2, 2, 2, 2, 2), rows, "halved twice, for good");
        assertEquals(2, warnings.size(), warnings::toString);
        assertTrue(warnings.getFirst().contains("halved"), warnings.getFirst());
    }

    @Test
    void isNotHalvedBelowThePromptsOfOneImage() throws Exception {
        List<Integer> rows = new ArrayList<>();
        HalvedBatchFallback unet = new HalvedBatchFallback((latents, timesteps, conditioning, adapters) -> {
            rows.add(timesteps.length);
            throw new Failure.OutOfMemory("UNet", new IllegalStateException("too large"));
        }, warning -> {});
        Tensor latents = Tensor.zeros(Shape.of(8, 4, 2, 2));
        float[] timesteps = new float[8];
        Arrays.fill(timesteps, 1);
        assertThrows(Failure.OutOfMemory.class,
                () -> unet.predict(latents, timesteps, Conditioning.of(Tensor.zeros(Shape.of(8, 1, 1))), List.of()));
        assertEquals(List.of(8, 4, 2), rows);
    }

    @Test
    void needsASeed() {
        assertThrows(IllegalArgumentException.class,
                () -> new GenerationBatch(generation(SamplerName.DDIM, 4), List.of()));
    }
}
