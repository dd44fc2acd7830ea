package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WinogradNodesTest {
    /// The last three run image by image in strips, with tiles beyond the edge, and with split filters.
    @ParameterizedTest @CsvSource({"1, 3, 5, 4, 4", "2, 4, 6, 9, 7", "3, 2, 2, 1, 2", "2, 256, 24, 64, 64",
            "1, 320, 8, 63, 65", "1, 640, 1280, 8, 8"})
    void matchesDirectConvolution(long batch, long in, long out, long height, long width) throws Exception {
        Tensor x = random(1, Shape.of(batch, in, height, width)), weight = random(2, Shape.of(out, in, 3, 3)),
                bias = random(3, Shape.of(out));
        Tensor direct = run(x, weight, bias, GraphOptions.ConvolutionAlgorithm.DIRECT),
                fast = run(x, weight, bias, GraphOptions.ConvolutionAlgorithm.WINOGRAD);
        assertEquals(Shape.of(batch, out, height, width), fast.shape());
        assertClose("Winograd", direct, fast, 3e-5);
    }

    @Test
    void isFasterForManyChannelsAndTiles() {
        Shape weight = Shape.of(1280, 640, 3, 3);
        assertTrue(Winograd.isFaster(Shape.of(2, 640, 16, 16), weight, Ops.ConvGeometry.same(3)));
        assertFalse(Winograd.isFaster(Shape.of(2, 640, 8, 8), weight, Ops.ConvGeometry.same(3)), "few tiles");
        assertFalse(Winograd.isFaster(Shape.of(2, 640, 16, 16), weight, Ops.ConvGeometry.strided(2, 1)),
                "stride 2");
        assertFalse(Winograd.isFaster(Shape.of(2, 640, 16, 16), Shape.of(1280, 640, 1, 1), Ops.ConvGeometry.same(1)),
                "1×1 kernel");
        assertFalse(Winograd.isFaster(Shape.of(2, 4, 64, 64), Shape.of(320, 4, 3, 3), Ops.ConvGeometry.same(3)),
                "few channels");
    }

    @Test
    void splitsOfExternalWeightReferenceTheFile(@TempDir Path folder) throws Exception {
        Tensor weight = random(4, Shape.of(6, 4, 3, 3)), other = random(5, Shape.of(3));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of("a.weight", weight, "other", other),
                Map.of());
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("model.safetensors"))) {
            TensorInfo info = file.tensors().get("a.weight");
            Graph graph = new Graph();
            Graph.Value stored = graph.externalInitializer("a.weight", info.shape(), ElementType.FLOAT,
                    new Graph.ExternalData("model.safetensors", info.offset(), info.byteLength()));
            List<Graph.Value> parts = graph.splitRows(stored, 3);
            Graph.Value swapped = new GraphOps(graph).concat(parts.get(2), parts.get(0), 0);
            try (OnnxSession session = OnnxRuntime.open(Device.CPU, 1)
                    .createSession(graph.model(swapped),
                            new OnnxSession.SessionWeights(folder, OnnxSession.WeightMode.MAPPED, Optional.empty()),
                            swapped.shape())) {
                assertEquals(Tensor.concatenate(weight.rows(4, 6), weight.rows(0, 2)), session.run(Map.of(), Map.of()));
            }
        }
    }

    /// The weight is an input, like that of an adapter.
    private static Tensor run(Tensor x, Tensor weight, Tensor bias, GraphOptions.ConvolutionAlgorithm algorithm)
            throws Exception {
        Graph graph = new Graph();
        GraphOps ops = new GraphOps(graph, new GraphOptions(GraphOptions.MemoryMode.LOW, ElementType.FLOAT,
                GraphOptions.AttentionKernel.FUSED, GraphOptions.ConvolutionAlgorithm.DIRECT));
        Graph.Value input = ops.input("x", x.shape());
        LayerWeights<Graph.Value> layer = new LayerWeights<>(graph.input("weight", weight.shape(), ElementType.FLOAT),
                graph.input("bias", bias.shape(), ElementType.FLOAT));
        Graph.Value output = switch (algorithm) {
            case DIRECT -> ops.conv2d(input, layer, Ops.ConvGeometry.same(3));
            case WINOGRAD -> new WinogradNodes(ops).convolve(input, layer);
        };
        try (OnnxSession session = OnnxRuntime.open(Device.CPU, 2)
                .createSession(graph.model(output), OnnxSession.SessionWeights.none(), output.shape())) {
            return session.run(Map.of("x", OnnxSession.Feed.of(x), "weight", OnnxSession.Feed.of(weight), "bias",
                    OnnxSession.Feed.of(bias)), Map.of());
        }
    }

    private static Tensor random(int seed, Shape shape) {
        SplittableRandom random = new SplittableRandom(seed);
        Tensor tensor = Tensor.zeros(shape);
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) random.nextGaussian();
        return tensor;
    }
}
