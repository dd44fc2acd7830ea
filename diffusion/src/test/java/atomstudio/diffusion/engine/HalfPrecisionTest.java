package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.image.RgbImage;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A UNet in half precision, with NaN from one of the networks.
class HalfPrecisionTest {
    private static final Generation GENERATION = new Generation(new PromptPair("a red apple", ""),
            GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64), 1,
            List.of());

    /// The network whose result overflows, in half precision or always.
    private enum Overflow { UNET_AT_ONCE, UNET_LATER, DECODER, UNET_ALWAYS }

    private final List<String> warnings = new ArrayList<>();

    @ParameterizedTest
    @EnumSource(names = {"UNET_AT_ONCE", "UNET_LATER", "DECODER"})
    void repeatsInFullPrecisionWithAWarning(Overflow overflow) throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            RgbImage expected = DiffusionPipeline.of(model, engine)
                    .generate(GENERATION, StepListener.none())
                    .orElseThrow();
            RgbImage found = DiffusionPipeline.of(model, overflowing(engine, overflow), warnings::add)
                    .generate(GENERATION, StepListener.none())
                    .orElseThrow();
            assertEquals(expected, found, "every step in full precision");
            assertEquals(List.of("Half precision produced NaN or infinity: repeating in full precision."), warnings);
        }
    }

    @Test
    void failsIfFullPrecisionOverflowsToo() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            DiffusionPipeline pipeline = DiffusionPipeline.of(model, overflowing(engine, Overflow.UNET_ALWAYS),
                    warnings::add);
            for (int image = 0; image < 2; image++)
                assertThrows(Failure.Diverged.class, () -> pipeline.generate(GENERATION, StepListener.none()));
            assertEquals(1, warnings.size(), "switched once");
        }
    }

    private static Engine overflowing(Engine engine, Overflow overflow) {
        HalfUnet unet = new HalfUnet(engine.noisePredictor(), overflow);
        return new Engine(engine.textEncoder(), unet, new Autoencoder() {
            @Override
            public LatentDistribution encode(Tensor images) throws Failure {
                return engine.autoencoder().encode(images);
            }

            @Override
            public Tensor decode(Tensor latents) throws Failure {
                return unet.overflow(engine.autoencoder().decode(latents), overflow == Overflow.DECODER);
            }
        }, engine.clipEncoders());
    }

    /// Rounds visibly in half precision, and may overflow.
    private static final class HalfUnet implements NoisePredictor, ReducedPrecision {
        private final NoisePredictor unet;
        private final Overflow overflow;
        private boolean isFull;
        private int calls;

        HalfUnet(NoisePredictor unet, Overflow overflow) {
            this.unet = unet;
            this.overflow = overflow;
        }

        @Override
        public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning,
                List<WeightedAdapter> adapters) throws Failure {
            Tensor output = unet.predict(latents, timesteps, conditioning, adapters);
            calls++;
            return switch (overflow) {
                case UNET_AT_ONCE -> overflow(output, true);
                case UNET_LATER -> isFull ? output : overflow(output.scaled(0.9), calls > 1);
                case UNET_ALWAYS -> Tensor.filled(output.shape(), Float.NaN);
                case DECODER -> output;
            };
        }

        Tensor overflow(Tensor output, boolean overflows) {
            return overflows && !isFull ? Tensor.filled(output.shape(), Float.NaN) : output;
        }

        @Override
        public boolean useFullPrecision() {
            boolean switched = !isFull;
            isFull = true;
            return switched;
        }
    }
}
