package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.GraphOptions.AttentionKernel;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Selects the fastest attention kernel: on the CPU the fused one, as measured (docs/performance.md); on CUDA by timing
/// the UNet's largest self-attention.
final class AttentionBenchmark {
    private static final System.Logger log = System.getLogger(AttentionBenchmark.class.getName());
    private static final int RUNS = 3;

    private AttentionBenchmark() {}

    /// @param latents (B, C, H, W)
    static AttentionKernel selectKernel(OnnxRuntime runtime, UNet unet, Shape latents, ElementType element)
            throws Failure {
        OptionalInt finestLevel = IntStream.range(0, unet.levels().size())
                .filter(i -> unet.levels().get(i).type() == UNet.BlockType.CROSS_ATTENTION)
                .findFirst();
        if (runtime.device() instanceof ProviderDevice) return GraphOptions.COMPILED.attention();
        if (runtime.device().equals(Device.CPU) || finestLevel.isEmpty()) return AttentionKernel.FUSED;
        UNet.Level level = unet.levels().get(finestLevel.getAsInt());
        long tokens = Math.ceilDiv(latents.size(2), 1L << finestLevel.getAsInt())
                * Math.ceilDiv(latents.size(3), 1L << finestLevel.getAsInt());
        Shape shape = Shape.of(latents.size(0), tokens, level.channels());
        Map<AttentionKernel, Double> seconds = new EnumMap<>(AttentionKernel.class);
        for (AttentionKernel kernel : AttentionKernel.values()) {
            try {
                seconds.put(kernel,
                        measureSeconds(runtime, kernel, shape, Ops.AttentionConfig.of(level.heads()), element));
            } catch (Failure failure) {
                seconds.put(kernel, Double.POSITIVE_INFINITY); // out of memory, or no kernel for this type
                log.log(System.Logger.Level.INFO, "attention " + kernel + " failed", failure);
            }
        }
        AttentionKernel fastest = fastest(seconds::get);
        log.log(System.Logger.Level.INFO, "attention {0} at {1} in {2}; seconds: {3}", fastest, shape, element,
                seconds);
        return fastest;
    }

    /// The kernel with the least seconds; of equal ones the first.
    static AttentionKernel fastest(ToDoubleFunction<AttentionKernel> seconds) {
        AttentionKernel best = AttentionKernel.FUSED;
        for (AttentionKernel candidate : AttentionKernel.values())
            if (seconds.applyAsDouble(candidate) < seconds.applyAsDouble(best)) best = candidate;
        return best;
    }

    /// Seconds of the fastest run, without the first one, which allocates.
    private static double measureSeconds(OnnxRuntime runtime, AttentionKernel kernel, Shape shape,
            Ops.AttentionConfig attention, ElementType element) throws Failure {
        double best = Double.POSITIVE_INFINITY;
        try (OnnxSession session = attentionSession(runtime, kernel, shape, attention, element)) {
            Map<String, OnnxSession.Feed> feeds = Map.of("x", OnnxSession.Feed.of(Tensor.filled(shape, 0.1f)));
            for (int run = 0; run <= RUNS; run++) {
                long start = System.nanoTime();
                session.run(feeds, Map.of());
                if (run > 0) best = Math.min(best, (System.nanoTime() - start) / 1e9);
            }
        }
        return best;
    }

    /// A session of a single self-attention.
    static OnnxSession attentionSession(OnnxRuntime runtime, AttentionKernel kernel, Shape shape,
            Ops.AttentionConfig attention, ElementType element) throws Failure {
        Graph graph = new Graph();
        Graph.Value x = graph.cast(graph.input("x", shape, ElementType.FLOAT), element);
        GraphOps ops = new GraphOps(graph, GraphOptions.DEFAULT.withElementType(element, kernel));
        Graph.Value output = graph.cast(ops.attention(x, x, x, attention), ElementType.FLOAT);
        return runtime.createSession(graph.model(output), OnnxSession.SessionWeights.none(), output.shape());
    }
}
