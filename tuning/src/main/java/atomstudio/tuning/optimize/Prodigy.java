package atomstudio.tuning.optimize;

import java.util.Map;

/// Adam that finds its own rate: d is a lower bound of the distance from the start to the solution, and grows as the
/// gradients go on to point the way that has been gone. The rate given is a factor γ of it, 1 as a rule.
/// Source: Mishchenko and Defazio 2023, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", algorithm 4.
public final class Prodigy implements Optimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final double INITIAL_D = 1e-6;

    private final float[] x0;
    private final float[] m;
    private final float[] v;
    private final float[] s;
    private double d;
    private double r;

    /// @param start the numbers before the first step
    public Prodigy(float[] start) {
        this(new State(
                Map.of("start", start.clone(), "first", new float[start.length], "second", new float[start.length],
                        "sum", new float[start.length]),
                Map.of("distance", INITIAL_D, "numerator", 0.0)));
    }

    /// Goes on from a state.
    public Prodigy(State state) {
        x0 = state.vectors().get("start");
        m = state.vectors().get("first");
        v = state.vectors().get("second");
        s = state.vectors().get("sum");
        d = state.scalars().get("distance");
        r = state.scalars().get("numerator");
    }

    @Override
    public void step(float[] parameters, float[] gradient, LearningRates rates) {
        double sqrtBeta2 = Math.sqrt(BETA2);
        double weightedInnerProduct = 0;
        double sumOfAbsS = 0;
        for (LearningRates.ParameterGroup group : rates.groups()) {
            double rate = rates.rateOf(group);
            double innerProduct = 0;
            for (int i = group.from(); i < group.to(); i++) {
                double g = gradient[i];
                innerProduct += g * (x0[i] - parameters[i]);
                m[i] = (float) (BETA1 * m[i] + (1 - BETA1) * d * g);
                v[i] = (float) (BETA2 * v[i] + (1 - BETA2) * d * d * g * g);
                s[i] = (float) (sqrtBeta2 * s[i] + (1 - sqrtBeta2) * rate * d * d * g);
                sumOfAbsS += Math.abs(s[i]);
            }
            weightedInnerProduct += rate * d * d * innerProduct;
        }
        r = sqrtBeta2 * r + (1 - sqrtBeta2) * weightedInnerProduct;
        for (LearningRates.ParameterGroup group : rates.groups()) {
            double rate = rates.rateOf(group);
            for (int i = group.from(); i < group.to(); i++) {
                parameters[i] -= (float) (rate * d * m[i] / (Math.sqrt(v[i]) + d * EPSILON));
            }
        }
        if (sumOfAbsS > 0) d = Math.max(d, r / sumOfAbsS);
    }

    /// The rate that it has found.
    public double distance() {
        return d;
    }

    @Override
    public State state() {
        return new State(Map.of("start", x0, "first", m, "second", v, "sum", s), Map.of("distance", d, "numerator", r));
    }
}
