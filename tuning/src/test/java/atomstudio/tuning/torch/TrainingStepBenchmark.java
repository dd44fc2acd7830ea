package atomstudio.tuning.torch;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Time and memory of single training steps: `java … atomstudio.tuning.torch.TrainingStepBenchmark MODEL
/// METHOD[/LAYERS[/lower]] NONE|SELECTIVE|FULL FP32|BF16 STEPS`. With `-` for STEPS one step for each line of standard
/// input (docs/performance/turns.py). With `lower` the UNet encoder runs once, timed, and steps use its features, as
/// with cached noise samples (without reading their file). One random sample of the model's own size. Anonymous memory
/// is not backed by files.
public final class TrainingStepBenchmark {
    private static volatile long mostAnonymous;

    private TrainingStepBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        DiffusionModel model = DiffusionModel.open(Path.of(arguments[0]));
        ParameterLayout layout = ParameterLayout.of(settings(arguments[1]).method(), model.unet().layers());
        long side = model.sampleSize();
        Tensor noisy = ReferenceOps.random(1, 1, 4, side, side);
        TrainingBatch batch = new TrainingBatch(noisy, new float[] {500},
                new BatchConditioning.Embedded(
                        ReferenceOps.random(2, 1, model.textEncoder().maxTokens(), model.textEncoder().hiddenSize())),
                ReferenceOps.random(3, 1, 4, side, side), Tensor.filled(Shape.of(1, 1, 1, 1), 1));
        Checkpointing activations = Checkpointing.valueOf(arguments[2]);
        ComputeDtype precision = ComputeDtype.valueOf(arguments[3]);
        System.out.printf("predicted %.2f GB%n",
                new TrainingStepMemory(model, layout, activations, precision).bytes(1, side, side) / 1e9);
        try (TorchEngine engine = TorchEngine.open(model, Device.CPU, TorchSettings.standard());
                DenoisingLoss denoisingLoss = engine
                        .denoisingLoss(new DenoisingLossOptions(layout, Map.of(), activations, precision))) {
            float[] parameters = layout
                    .initialVector(new ParameterLayout.Initialization(engine::baseWeight, 1, List.of()));
            System.out.println(memory());
            Thread.ofPlatform().daemon().start(TrainingStepBenchmark::watch);
            if (arguments[1].endsWith("/lower")) {
                for (int time = 0; time < 2; time++) {
                    long start = System.nanoTime();
                    UNet.EncoderFeatures<Tensor> lower = denoisingLoss.encoderFeatures(batch);
                    System.out.printf("%.2f s for the UNet encoder%n", (System.nanoTime() - start) / 1e9);
                    batch = batch.with(lower);
                }
            }
            Iterator<?> steps = (arguments[4].equals("-") ? new BufferedReader(new InputStreamReader(System.in)).lines()
                    : IntStream.range(0, Integer.parseInt(arguments[4])).boxed()).iterator();
            for (; steps.hasNext(); steps.next()) {
                long start = System.nanoTime();
                double loss = denoisingLoss.gradient(parameters, batch).loss();
                System.out.printf("%.2f s, loss %.4f, %s%n", (System.nanoTime() - start) / 1e9, loss, memory());
            }
        }
        System.out.println(memory());
    }

    /// `atoms`, or with layers `atoms/up`.
    private static MethodSettings settings(String text) throws Exception {
        String[] parts = text.split("/");
        return MethodSettings.parse(parts[0], parts.length == 1 ? Map.of() : Map.of("layers", parts[1]));
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
        return text + "peak anon " + mostAnonymous + " kB";
    }
}
