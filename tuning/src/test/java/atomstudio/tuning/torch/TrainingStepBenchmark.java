package atomstudio.tuning.torch;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/// Time and memory of single training steps: `java … atomstudio.tuning.torch.TrainingStepBenchmark MODEL
/// METHOD[/LAYERS[/lower]] NONE|SELECTIVE|FULL FP32|BF16 STEPS`. With `-` for STEPS one step for each line of standard
/// input (docs/performance/turns.py) at its [BenchmarkPoint]. With `lower` the UNet encoder runs once, timed, and steps
/// use its features, as with cached noise samples (without reading their file). One random sample of the model's own
/// size. Anonymous memory is not backed by files.
public final class TrainingStepBenchmark {
    private static volatile long mostAnonymous;

    private TrainingStepBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        DiffusionModel model = DiffusionModel.open(Path.of(arguments[0]));
        int size = Math.toIntExact((long) model.sampleSize() * model.vae().downsamplingFactor());
        try (TorchEngine engine = TorchEngine.open(model, Device.CPU, TorchSettings.standard())) {
            System.out.println(memory());
            Thread.ofPlatform().daemon().start(TrainingStepBenchmark::watch);
            Steps steps = null;
            Iterator<BenchmarkPoint> points = BenchmarkPoint.read(arguments[4], new BenchmarkPoint(size, 1, 0, 0))
                    .iterator();
            while (points.hasNext()) {
                BenchmarkPoint point = points.next();
                if (steps == null || !steps.point.equals(point)) {
                    if (steps != null) steps.loss.close();
                    steps = Steps.of(engine, model, point, arguments);
                }
                long start = System.nanoTime();
                double loss = steps.loss.gradient(steps.parameters, steps.batch).loss();
                System.out.printf("%.2f s, loss %.4f, %s%n", (System.nanoTime() - start) / 1e9, loss, memory());
            }
            if (steps != null) steps.loss.close();
        }
        System.out.println(memory());
    }

    /// What the steps at a point have in common.
    private record Steps(BenchmarkPoint point, DenoisingLoss loss, float[] parameters, TrainingBatch batch) {
        static Steps of(TorchEngine engine, DiffusionModel model, BenchmarkPoint point, String[] arguments)
                throws Exception {
            ParameterLayout layout = ParameterLayout.of(settings(arguments[1], point).method(),
                    model.unet().layers());
            Checkpointing activations = Checkpointing.valueOf(arguments[2]);
            ComputeDtype precision = ComputeDtype.valueOf(arguments[3]);
            int rows = point.batch();
            long side = point.size() / model.vae().downsamplingFactor();
            System.out.printf("predicted %.2f GB%n",
                    new TrainingStepMemory(model, layout, activations, precision).bytes(rows, side, side) / 1e9);
            float[] timesteps = new float[rows];
            Arrays.fill(timesteps, 500);
            TrainingBatch batch = new TrainingBatch(ReferenceOps.random(1, rows, 4, side, side), timesteps,
                    new BatchConditioning.Embedded(ReferenceOps.random(2, rows, model.textEncoder().maxTokens(),
                            model.textEncoder().hiddenSize())),
                    ReferenceOps.random(3, rows, 4, side, side), Tensor.filled(Shape.of(rows, 1, 1, 1), 1));
            DenoisingLoss loss = engine
                    .denoisingLoss(new DenoisingLossOptions(layout, Map.of(), activations, precision));
            float[] parameters = layout
                    .initialVector(new ParameterLayout.Initialization(engine::baseWeight, 1, List.of()));
            return new Steps(point, loss, parameters,
                    arguments[1].endsWith("/lower") ? withEncoderFeatures(loss, batch) : batch);
        }

        private static TrainingBatch withEncoderFeatures(DenoisingLoss loss, TrainingBatch batch) throws Exception {
            TrainingBatch encoded = batch;
            for (int time = 0; time < 2; time++) {
                long start = System.nanoTime();
                UNet.EncoderFeatures<Tensor> lower = loss.encoderFeatures(batch);
                System.out.printf("the UNet encoder took %.2f s%n", (System.nanoTime() - start) / 1e9);
                encoded = batch.with(lower);
            }
            return encoded;
        }
    }

    /// `atoms`, or with layers `atoms/up`; a point's rank replaces the method's own.
    private static MethodSettings settings(String text, BenchmarkPoint point) throws Exception {
        String[] parts = text.split("/");
        Map<String, String> values = new HashMap<>();
        if (parts.length > 1) values.put("layers", parts[1]);
        if (point.rank() > 0) values.put("rank", Integer.toString(point.rank()));
        return MethodSettings.parse(parts[0], values);
    }

    /// Twenty times a second.
    private static void watch() {
        try {
            for (;; Thread.sleep(50)) {
                for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                    if (line.startsWith("RssAnon"))
                        mostAnonymous = Math.max(mostAnonymous, Long.parseLong(line.replaceAll("\\D", "")));
                }
            }
        } catch (java.io.IOException | InterruptedException e) {
            System.err.println("the memory is not measured: " + e);
        }
    }

    private static String memory() throws Exception {
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM") || line.startsWith("VmRSS") || line.startsWith("RssAnon"))
                text.append(line.replaceAll("\\s+", " ")).append("  ");
        }
        return text + "peak anonymous %.2f GB".formatted(mostAnonymous * 1024 / 1e9);
    }
}
