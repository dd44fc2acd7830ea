package atomstudio.tuning.optimize;

import java.util.Map;

/// Adam with an estimated learning rate: d is a lower bound on the distance from the initial parameters to the
/// solution, and grows while gradients keep their direction. The learning rate passed in is a factor γ of d, usually
/// 1. Weight decay is decoupled and scaled by d, as in the authors' code.
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

    /// @param initial the parameters before the first step
    public Prodigy(float[] initial) {
        this(new State(
                Map.of("start", initial.clone(), "first", new float[initial.length], "second",
                        new float[initial.length], "sum", new float[initial.length]),
                Map.of("distance", INITIAL_D, "numerator", 0.0)));
    }

    /// Resumes from a state.
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
                double decayed = parameters[i] * (1 - rate * d * group.weightDecay());
                parameters[i] = (float) (decayed - rate * d * m[i] / (Math.sqrt(v[i]) + d * EPSILON));
            }
        }
        if (sumOfAbsS > 0) d = Math.max(d, r / sumOfAbsS);
    }

    /// The estimated learning rate d.
    public double distance() {
        return d;
    }

    @Override
    public State state() {
        return new State(Map.of("start", x0, "first", m, "second", v, "sum", s), Map.of("distance", d, "numerator", r));
    }
}
