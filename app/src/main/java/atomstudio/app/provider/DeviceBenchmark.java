package atomstudio.app.provider;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// Measures the UNet of a small model in guided steps on a device, and its error against float32 on the CPU.
/// @param secondsPerStep median
/// @param error relative to the largest value
public record DeviceBenchmark(double secondsPerStep, double error) {
    private static final int WARM_UP_STEPS = 3;
    private static final int STEPS = 20;
    private static final int TOKEN = 7;

    /// The inputs of one guided step: a batch of two.
    private record Step(Tensor latents, float[] timesteps, Conditioning conditioning) {
        static Step of(DiffusionModel model, Engine engine) throws Failure {
            int[][] tokens = new int[1][model.textEncoder().maxTokens()];
            Arrays.fill(tokens[0], TOKEN);
            Tensor context = engine.textEncoder().encode(tokens, 1, List.of());
            Shape shape = Shape.of(2, model.unet().channels().in(), model.sampleSize(), model.sampleSize());
            float[] values = new float[Math.toIntExact(shape.elements())];
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
            return new Step(new Tensor(shape, values), new float[] {500, 500},
                    Conditioning.of(Tensor.concatenate(context, context)));
        }

        Tensor run(Engine engine) throws Failure {
            return engine.noisePredictor().predict(latents, timesteps, conditioning, List.of());
        }
    }

    public static DeviceBenchmark run(DiffusionModel model, Device device) throws Failure {
        int threads = Runtime.getRuntime().availableProcessors();
        try (Engine reference = OnnxEngine.open(model, Device.CPU, threads);
                Engine engine = OnnxEngine.open(model, device, threads)) {
            Step step = Step.of(model, reference);
            Tensor expected = step.run(reference);
            Tensor found = step.run(engine);
            for (int i = 1; i < WARM_UP_STEPS; i++) step.run(engine);
            double[] seconds = new double[STEPS];
            for (int i = 0; i < STEPS; i++) {
                long start = System.nanoTime();
                step.run(engine);
                seconds[i] = (System.nanoTime() - start) / 1e9;
            }
            Arrays.sort(seconds);
            return new DeviceBenchmark(seconds[STEPS / 2], Deviation.relative("UNet", expected, found, 0).error());
        }
    }
}
