package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.onnx.Graph.Element;
import atomstudio.diffusion.onnx.GraphOps.Kernel;
import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// Which attention is fastest: on the CPU as measured once (docs/performance.md), on a graphics processor by a few runs of the largest one that the
/// network has.
final class AttentionProbe {
    private static final System.Logger log = System.getLogger(AttentionProbe.class.getName());
    private static final int RUNS = 3;

    private AttentionProbe() {}

    /// @param latents (B,C,H,W)
    static Kernel kernel(Runtime runtime, UNet unet, Shape latents, Element element) throws Failure {
        OptionalInt finest = IntStream.range(0, unet.levels().size()).filter(i -> unet.levels().get(i).type() == UNet.BlockType.CROSS_ATTENTION).findFirst();
        if (runtime.device() == Device.CPU || finest.isEmpty()) return Kernel.FUSED;
        UNet.Level level = unet.levels().get(finest.getAsInt());
        long tokens = Math.ceilDiv(latents.size(2), 1L << finest.getAsInt()) * Math.ceilDiv(latents.size(3), 1L << finest.getAsInt());
        Shape shape = Shape.of(latents.size(0), tokens, level.channels());
        Map<Kernel, Double> seconds = new EnumMap<>(Kernel.class);
        for (Kernel kernel : Kernel.values()) {
            try {
                seconds.put(kernel, seconds(runtime, kernel, shape, Attention.of(level.heads()), element));
            } catch (Failure cannot) {
                seconds.put(kernel, Double.POSITIVE_INFINITY);                  // too large, or the device has no such kernel for these numbers
                log.log(System.Logger.Level.INFO, "attention " + kernel + " cannot run", cannot);
            }
        }
        Kernel fastest = fastest(seconds::get);
        log.log(System.Logger.Level.INFO, "attention {0} at {1} in {2}; seconds of each: {3}", fastest, shape, element, seconds);
        return fastest;
    }

    /// The one of the least seconds; the first where they are equal.
    static Kernel fastest(ToDoubleFunction<Kernel> seconds) {
        Kernel best = Kernel.FUSED;
        for (Kernel each : Kernel.values()) if (seconds.applyAsDouble(each) < seconds.applyAsDouble(best)) best = each;
        return best;
    }

    /// Of the fastest run after a first one, which allocates.
    private static double seconds(Runtime runtime, Kernel kernel, Shape shape, Attention heads, Element element) throws Failure {
        double best = Double.POSITIVE_INFINITY;
        try (Session session = session(runtime, kernel, shape, heads, element)) {
            Map<String, Feed> feeds = Map.of("x", Feed.of(Tensor.filled(shape, 0.1f)));
            for (int run = 0; run <= RUNS; run++) {
                long start = System.nanoTime();
                session.run(feeds, Map.of());
                if (run > 0) best = Math.min(best, (System.nanoTime() - start) / 1e9);
            }
        }
        return best;
    }

    /// A graph that is nothing but self-attention.
    static Session session(Runtime runtime, Kernel kernel, Shape shape, Attention heads, Element element) throws Failure {
        Graph graph = new Graph();
        Value x = graph.cast(graph.input("x", shape, Element.FLOAT), element);
        Value output = graph.cast(new GraphOps(graph, new GraphOps.Choice(GraphOps.Memory.AMPLE, element, kernel, GraphOps.Convolutions.DIRECT)).attention(x, x, x, heads), Element.FLOAT);
        return runtime.session(graph.model(List.of(output)), Session.Weights.none(), output.shape());
    }
}
