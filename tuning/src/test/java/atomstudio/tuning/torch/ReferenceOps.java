package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;

/// Reference implementations of the operations by their textbook formulas, in double precision.
final class ReferenceOps {
    private ReferenceOps() {}

    static Tensor random(long seed, long... sizes) {
        Random random = new Random(seed);
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) random.nextGaussian();
        return tensor;
    }

    static Tensor map(Tensor x, DoubleUnaryOperator f) {
        Tensor y = Tensor.zeros(x.shape());
        for (int i = 0; i < y.data().length; i++) y.data()[i] = (float) f.applyAsDouble(x.data()[i]);
        return y;
    }

    static Tensor conv2d(Tensor x, Tensor w, float[] bias, Ops.ConvGeometry g) {
        int batch = n(x, 0), ci = n(x, 1), h = n(x, 2), width = n(x, 3), co = n(w, 0), k = n(w, 2);
        int oh = (h + g.padTop() + g.padBottom() - k) / g.stride() + 1,
                ow = (width + g.padLeft() + g.padRight() - k) / g.stride() + 1;
        Tensor y = Tensor.zeros(Shape.of(batch, co, oh, ow));
        for (int b = 0; b < batch; b++)
            for (int o = 0; o < co; o++) for (int r = 0; r < oh; r++) for (int c = 0; c < ow; c++) {
                double sum = bias[o];
                for (int i = 0; i < ci; i++) for (int u = 0; u < k; u++) for (int v = 0; v < k; v++) {
                    int row = r * g.stride() + u - g.padTop(), column = c * g.stride() + v - g.padLeft();
                    if (row < 0 || row >= h || column < 0 || column >= width) continue;
                    sum += (double) x.data()[((b * ci + i) * h + row) * width + column]
                            * w.data()[((o * ci + i) * k + u) * k + v];
                }
                y.data()[((b * co + o) * oh + r) * ow + c] = (float) sum;
            }
        return y;
    }

    /// (R, K) · (C, K)ᵀ + bias.
    static Tensor linear(Tensor x, Tensor w, float[] bias) {
        int rows = x.data().length / n(x, -1), k = n(x, -1), columns = n(w, 0);
        Tensor y = Tensor.zeros(x.shape().with(-1, columns));
        for (int r = 0; r < rows; r++) for (int c = 0; c < columns; c++) {
            double sum = bias[c];
            for (int i = 0; i < k; i++) sum += (double) x.data()[r * k + i] * w.data()[c * k + i];
            y.data()[r * columns + c] = (float) sum;
        }
        return y;
    }

    /// Normalizes runs of `run` consecutive values; value i has the affine parameters i / inner % channels.
    static Tensor normalize(Tensor x, int run, int inner, Tensor weight, Tensor bias, double epsilon) {
        Tensor y = Tensor.zeros(x.shape());
        int channels = weight.data().length;
        for (int from = 0; from < x.data().length; from += run) {
            double mean = 0, variance = 0;
            for (int i = from; i < from + run; i++) mean += x.data()[i] / (double) run;
            for (int i = from; i < from + run; i++) variance += (x.data()[i] - mean) * (x.data()[i] - mean) / run;
            for (int i = from; i < from + run; i++) {
                int channel = i / inner % channels;
                y.data()[i] = (float) ((x.data()[i] - mean) / Math.sqrt(variance + epsilon) * weight.data()[channel]
                        + bias.data()[channel]);
            }
        }
        return y;
    }

    static Tensor attention(Tensor q, Tensor k, Tensor v, int heads, boolean causal) {
        int batch = n(q, 0), s = n(q, 1), t = n(k, 1), channels = n(q, 2), d = channels / heads;
        Tensor y = Tensor.zeros(q.shape());
        for (int b = 0; b < batch; b++) for (int h = 0; h < heads; h++) for (int i = 0; i < s; i++) {
            double[] weights = new double[t];
            double total = 0;
            for (int j = 0; j < (causal ? i + 1 : t); j++) {
                double dot = 0;
                for (int c = 0; c < d; c++)
                    dot += (double) q.data()[(b * s + i) * channels + h * d + c]
                            * k.data()[(b * t + j) * channels + h * d + c];
                total += weights[j] = Math.exp(dot / Math.sqrt(d));
            }
            for (int c = 0; c < d; c++) {
                double sum = 0;
                for (int j = 0; j < t; j++) sum += weights[j] / total * v.data()[(b * t + j) * channels + h * d + c];
                y.data()[(b * s + i) * channels + h * d + c] = (float) sum;
            }
        }
        return y;
    }

    static int n(Tensor x, int axis) {
        return (int) x.shape().size(axis);
    }
}
