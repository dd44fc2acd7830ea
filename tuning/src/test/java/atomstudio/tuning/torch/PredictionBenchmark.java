package atomstudio.tuning.torch;

import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/// Time and memory of the UNet in a guided step: `java … atomstudio.tuning.torch.PredictionBenchmark MODEL
/// onnx|torch|torch-bf16 STEPS [METHOD]`. A batch of two random samples of the model's own size, as for guidance. With
/// `-` for STEPS one step for each line of standard input, at its [BenchmarkPoint]; METHOD is then the method of its
/// adapters. Ready is the time from opening the model until the text encoder has run and the UNet is loaded; anonymous
/// memory is not backed by files.
public final class PredictionBenchmark {
    private static volatile long mostAnonymous;
    private static volatile long mostResident;

    private PredictionBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        Thread.ofPlatform().daemon().start(PredictionBenchmark::watch);
        long start = System.nanoTime();
        DiffusionModel model = DiffusionModel.open(Path.of(arguments[0]));
        long side = model.sampleSize();
        try (Engine engine = engine(model, arguments[1])) {
            int[][] ids = new int[1][model.textEncoder().maxTokens()];
            Arrays.fill(ids[0], 7);
            Tensor context = engine.textEncoder().encode(ids, 1, List.of());
            System.out.printf("text after %.2f s%n", (System.nanoTime() - start) / 1e9);
            String method = arguments.length > 3 ? arguments[3] : "lora";
            List<Adapter> adapters = new ArrayList<>();
            Iterator<BenchmarkPoint> points = BenchmarkPoint
                    .read(arguments[2], new BenchmarkPoint(
                            Math.toIntExact(side * model.vae().downsamplingFactor()), 1, 4,
                            arguments.length > 3 ? 1 : 0))
                    .iterator();
            while (points.hasNext()) {
                BenchmarkPoint point = points.next();
                while (adapters.size() < point.adapters()) adapters.add(adapter(model, method));
                long before = System.nanoTime();
                float first = predict(engine, model, context, point, adapters);
                System.out.printf("%.4f s, first value %.5f, %s%n", (System.nanoTime() - before) / 1e9, first,
                        memory());
            }
        }
        System.out.println(memory());
    }

    private static float predict(Engine engine, DiffusionModel model, Tensor context, BenchmarkPoint point,
            List<Adapter> adapters) throws Exception {
        int rows = 2 * point.batch();
        long side = point.size() / model.vae().downsamplingFactor();
        float[] timesteps = new float[rows];
        Arrays.fill(timesteps, 500);
        return engine.noisePredictor()
                .predict(ReferenceOps.random(1, rows, model.unet().channels().in(), side, side), timesteps,
                        Conditioning.of(context.repeated(rows)),
                        adapters.stream()
                                .limit(point.adapters())
                                .map(adapter -> new WeightedAdapter(adapter, 1))
                                .toList())
                .data()[0];
    }

    /// Random parameters of a method, small enough to keep the network in its range.
    private static Adapter adapter(DiffusionModel model, String method) throws Exception {
        MethodSettings settings = MethodSettings.parse(method, Map.of());
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.layers(Component.UNET)) {
            settings.method().storedShapes(layer).forEach((slot, shape) -> {
                Tensor value = ReferenceOps.random(values.size(), shape.sizes());
                for (int i = 0; i < value.data().length; i++) value.data()[i] *= 1e-3f;
                values.put(layer.name() + "." + slot, value);
            });
        }
        return new Adapter(method, "0", settings.method(), values);
    }

    private static Engine engine(DiffusionModel model, String name) throws Exception {
        return switch (name) {
            case "onnx" -> OnnxEngine.open(model, Device.CPU, Runtime.getRuntime().availableProcessors());
            case "torch" -> TorchEngine.openForSampling(model, Device.CPU, TorchSettings.standard(), ComputeDtype.FP32);
            case "torch-bf16" ->
                    TorchEngine.openForSampling(model, Device.CPU, TorchSettings.standard(), ComputeDtype.BF16);
            default -> throw new IllegalArgumentException(name + ": expected onnx, torch or torch-bf16");
        };
    }

    /// Fifty times a second.
    private static void watch() {
        try {
            for (;; Thread.sleep(20)) {
                for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                    if (line.startsWith("RssAnon")) mostAnonymous = Math.max(mostAnonymous, number(line));
                    if (line.startsWith("VmRSS")) mostResident = Math.max(mostResident, number(line));
                }
            }
        } catch (java.io.IOException | InterruptedException e) {
            System.err.println("the memory is not measured: " + e);
        }
    }

    private static long number(String line) {
        return Long.parseLong(line.replaceAll("\\D", ""));
    }

    private static String memory() {
        return "peak anonymous %.2f GB, resident %.2f GB".formatted(mostAnonymous * 1024 / 1e9,
                mostResident * 1024 / 1e9);
    }
}
