package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Ops;

/// How far a layer goes from its base weight, for methods whose change is no plain sum.
final class ScaledDelta {
    private ScaledDelta() {}

    /// base + s · (tuned − base).
    static <T> T interpolate(Ops<T> ops, T base, T tuned, T adapterWeight) {
        return add(ops, base, ops.add(tuned, ops.scale(base, -1)), adapterWeight);
    }

    /// base + s · change.
    static <T> T add(Ops<T> ops, T base, T delta, T adapterWeight) {
        return ops.add(base, ops.multiply(delta, adapterWeight));
    }
}
