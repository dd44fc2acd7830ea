package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Arithmetic on latents, in double precision, rounded to float32 once per operation.
final class LatentMath {
    private LatentMath() {}

    /// x + a · y.
    static Tensor add(Tensor x, double a, Tensor y) {
        return weightedSum(1, x, a, y);
    }

    /// a · x + b · y.
    static Tensor weightedSum(double a, Tensor x, double b, Tensor y) {
        if (!x.shape().equals(y.shape()))
            throw new IllegalArgumentException(
                    "latents: expected equal shapes, found " + x.shape() + " and " + y.shape());
        float[] sum = new float[x.data().length];
        for (int i = 0; i < sum.length; i++) sum[i] = (float) (a * x.data()[i] + b * y.data()[i]);
        return new Tensor(x.shape(), sum);
    }

    /// a · x.
    static Tensor scale(double a, Tensor x) {
        float[] scaled = new float[x.data().length];
        for (int i = 0; i < scaled.length; i++) scaled[i] = (float) (a * x.data()[i]);
        return new Tensor(x.shape(), scaled);
    }

    static Tensor clamp(Tensor x, double limit) {
        float[] clamped = new float[x.data().length];
        for (int i = 0; i < clamped.length; i++) clamped[i] = (float) Math.clamp(x.data()[i], -limit, limit);
        return new Tensor(x.shape(), clamped);
    }

    /// Over all elements, with Bessel's correction (n - 1).
    static double standardDeviation(Tensor x) {
        double sum = 0;
        for (float value : x.data()) sum += value;
        double mean = sum / x.data().length;
        double squares = 0;
        for (float value : x.data()) squares += (value - mean) * (value - mean);
        return Math.sqrt(squares / (x.data().length - 1));
    }
}
