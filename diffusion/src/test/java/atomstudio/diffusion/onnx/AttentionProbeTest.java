package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.onnx.Graph.Element;
import atomstudio.diffusion.onnx.GraphOps.Kernel;
import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionProbeTest {
    @Test void theFastestIsTakenAndTheFusedOneWhereNoneIs() {
        assertEquals(Kernel.PRODUCTS, AttentionProbe.fastest(Map.of(Kernel.FUSED, 2.0, Kernel.PRODUCTS, 1.0, Kernel.SLICED, 3.0)::get));
        assertEquals(Kernel.FUSED, AttentionProbe.fastest(Map.of(Kernel.FUSED, 1.0, Kernel.PRODUCTS, 2.0, Kernel.SLICED, 1.0)::get));
        assertEquals(Kernel.SLICED, AttentionProbe.fastest(Map.of(Kernel.FUSED, Double.POSITIVE_INFINITY, Kernel.PRODUCTS, 2.0, Kernel.SLICED, 1.0)::get));
        assertEquals(Kernel.FUSED, AttentionProbe.fastest(kernel -> Double.POSITIVE_INFINITY));
    }

    @ParameterizedTest @CsvSource({"FLOAT, 1e-5", "FLOAT16, 5e-3"}) void allSayTheSame(Element element, double tolerance) throws Exception {
        Tensor expected = attention(Kernel.FUSED, Element.FLOAT);
        for (Kernel kernel : Kernel.values()) assertClose(kernel + " in " + element, expected, attention(kernel, element), tolerance);
    }

    private static Tensor attention(Kernel kernel, Element element) throws Exception {
        Shape shape = Shape.of(2, 16, 12);                                      // eight slices of two tokens
        Tensor x = Tensor.zeros(shape);
        for (int i = 0; i < x.data().length; i++) x.data()[i] = (float) Math.sin(1 + 3.7 * i);
        try (Session session = AttentionProbe.session(Runtime.open(Device.CPU, 1), kernel, shape, Attention.of(4), element)) {
            return session.run(Map.of("x", Feed.of(x)), Map.of());
        }
    }
}
