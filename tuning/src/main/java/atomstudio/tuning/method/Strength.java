package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Ops;

/// How far a layer goes from its base weight, for methods whose change is no plain sum.
final class Strength {
    private Strength() {}

    /// base + s · (tuned − base).
    static <T> T toward(Ops<T> ops, T base, T tuned, T strength) {
        return plus(ops, base, ops.add(tuned, ops.scale(base, -1)), strength);
    }

    /// base + s · change.
    static <T> T plus(Ops<T> ops, T base, T change, T strength) {
        return ops.add(base, ops.multiply(change, strength));
    }
}
