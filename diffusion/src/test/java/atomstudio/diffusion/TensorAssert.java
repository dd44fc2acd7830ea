package atomstudio.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import atomstudio.diffusion.tensor.Tensor;

/// Assertions on tensors; a failure reports the largest error and its index.
public final class TensorAssert {
    private TensorAssert() {}

    /// Largest absolute difference at most `tolerance` times the largest expected magnitude.
    public static void assertClose(String name, Tensor expected, Tensor found, double tolerance) {
        double largest = 0;
        for (float value : expected.data()) largest = Math.max(largest, Math.abs(value));
        assertWithin(name, expected, found, tolerance * largest);
    }

    /// Largest absolute difference at most `tolerance`; NaN is never close.
    public static void assertWithin(String name, Tensor expected, Tensor found, double tolerance) {
        assertEquals(expected.shape(), found.shape(), name);
        int worst = -1;
        double error = 0;
        for (int i = 0; i < expected.data().length; i++) {
            double difference = Math.abs((double) expected.data()[i] - found.data()[i]);
            if (!(difference <= error)) {
                worst = i;
                error = difference;
                if (Double.isNaN(difference)) break;
            }
        }
        if (!(error <= tolerance)) {
            fail(name + ": at " + worst + " expected " + expected.data()[worst] + ", found " + found.data()[worst]
                    + ", error " + error + " > " + tolerance);
        }
    }
}
