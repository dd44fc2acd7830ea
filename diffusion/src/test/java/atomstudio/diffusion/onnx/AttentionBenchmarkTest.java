package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.onnx.GraphOptions.AttentionKernel;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionBenchmarkTest {
    @Test
    void selectsFastestKernelAndFusedIfAllFail() {
        assertEquals(AttentionKernel.MATMUL, AttentionBenchmark.fastest(
                Map.of(AttentionKernel.FUSED, 2.0, AttentionKernel.MATMUL, 1.0, AttentionKernel.SLICED, 3.0)::get));
        assertEquals(AttentionKernel.FUSED, AttentionBenchmark.fastest(
                Map.of(AttentionKernel.FUSED, 1.0, AttentionKernel.MATMUL, 2.0, AttentionKernel.SLICED, 1.0)::get));
        assertEquals(AttentionKernel.SLICED, AttentionBenchmark.fastest(Map.of(AttentionKernel.FUSED,
                Double.POSITIVE_INFINITY, AttentionKernel.MATMUL, 2.0, AttentionKernel.SLICED, 1.0)::get));
        assertEquals(AttentionKernel.FUSED, AttentionBenchmark.fastest(kernel -> Double.POSITIVE_INFINITY));
    }

    @ParameterizedTest @CsvSource({"FLOAT, 1e-5", "FLOAT16, 5e-3"})
    void kernelsAgree(ElementType element, double tolerance) throws Exception {
        for (long tokens : new long[] {1, 3, 8, 9, 16, 63, 65}) {
            Shape shape = Shape.of(2, tokens, 12);
            Tensor expected = attention(AttentionKernel.FUSED, ElementType.FLOAT, shape);
            for (AttentionKernel kernel : AttentionKernel.values())
                assertClose(kernel + " of " + tokens + " in " + element, expected, attention(kernel, element, shape),
                        tolerance);
        }
    }

    /// Otherwise the retry after running out of memory would need as much again.
    @ParameterizedTest @CsvSource({"8, 1", "9, 2", "63, 8", "65, 9", "100, 13", "5, 1", "1, 1"})
    void slicesHaveAtMostAnEighthOfTheQueries(long tokens, long max) {
        Graph graph = new Graph();
        List<Graph.Value> pieces = graph.splitSecondAxis(graph.input("x", Shape.of(2, tokens, 12), ElementType.FLOAT),
                8);
        assertEquals(tokens, pieces.stream().mapToLong(piece -> piece.shape().size(1)).sum());
        assertEquals(max, pieces.stream().mapToLong(piece -> piece.shape().size(1)).max().orElseThrow());
        assertEquals(Math.min(8, tokens), pieces.size());
    }

    @ParameterizedTest @CsvSource({"1024", "1025", "1031"})
    void chunkedFeedForwardMatchesUnchunked(long tokens) throws Exception {
        assertClose("chunks of " + tokens, feedForward(GraphOptions.MemoryMode.DEFAULT, tokens),
                feedForward(GraphOptions.MemoryMode.LOW, tokens), 0);
    }

    private static Tensor feedForward(GraphOptions.MemoryMode memory, long tokens) throws Exception {
        Shape shape = Shape.of(1, tokens, 2);
        Graph graph = new Graph();
        GraphOps ops = new GraphOps(graph, new GraphOptions(memory, ElementType.FLOAT, AttentionKernel.FUSED,
                GraphOptions.ConvolutionAlgorithm.DIRECT));
        List<Long> chunks = new ArrayList<>();
        Graph.Value output = ops.checkpointed("block.ff", List.of(ops.input("x", shape)), inputs -> {
            chunks.add(inputs.getFirst().shape().size(1));
            return ops.silu(inputs.getFirst());
        });
        assertEquals(memory == GraphOptions.MemoryMode.DEFAULT ? 1 : 4, chunks.size());
        try (OnnxSession session = OnnxRuntime.open(Device.CPU, 1)
                .createSession(graph.model(List.of(output)), OnnxSession.SessionWeights.none(), output.shape())) {
            return session.run(Map.of("x", OnnxSession.Feed.of(values(shape))), Map.of());
        }
    }

    private static Tensor values(Shape shape) {
        Tensor x = Tensor.zeros(shape);
        for (int i = 0; i < x.data().length; i++) x.data()[i] = (float) Math.sin(1 + 3.7 * i);
        return x;
    }

    private static Tensor attention(AttentionKernel kernel, ElementType element, Shape shape) throws Exception {
        try (OnnxSession session = AttentionBenchmark.attentionSession(OnnxRuntime.open(Device.CPU, 1), kernel, shape,
                Ops.AttentionConfig.of(4), element)) {
            return session.run(Map.of("x", OnnxSession.Feed.of(values(shape))), Map.of());
        }
    }
}
