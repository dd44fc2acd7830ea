package atomstudio.tuning.optimize;

import java.util.Map;

/// Adam with decoupled weight decay on one vector. Its moments are part of a checkpoint, hence our own.
/// Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
public final class AdamW implements Optimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final double decay;
    private final float[] first;
    private final float[] second;
    private int steps;

    public AdamW(int size, double decay) {
        this(new float[size], new float[size], 0, decay);
    }

    /// Goes on with the moments after so many steps.
    public AdamW(float[] first, float[] second, int steps, double decay) {
        this.first = first;
        this.second = second;
        this.steps = steps;
        this.decay = decay;
    }

    @Override public void step(float[] parameters, float[] gradient, LearningRates rates) {
        steps++;
        double unbias1 = 1 - Math.pow(BETA1, steps);
        double unbias2 = Math.sqrt(1 - Math.pow(BETA2, steps));
        for (LearningRates.Group group : rates.groups()) {
            double rate = rates.of(group);
            for (int i = group.from(); i < group.to(); i++) {
                double g = gradient[i];
                double m = BETA1 * first[i] + (1 - BETA1) * g;
                double v = BETA2 * second[i] + (1 - BETA2) * g * g;
                first[i] = (float) m;
                second[i] = (float) v;
                double decayed = parameters[i] * (1 - rate * decay);
                parameters[i] = (float) (decayed - rate / unbias1 * m / (Math.sqrt(v) / unbias2 + EPSILON));
            }
        }
    }

    @Override public State state() {
        return new State(Map.of("first", first, "second", second), Map.of());
    }

    /// Scales a gradient down to a norm of at most `most`, in place. Returns the norm before; NaN or infinite where the gradient is.
    public static double clip(float[] gradient, double most) {
        double square = 0;
        for (float g : gradient) square += (double) g * g;
        double norm = Math.sqrt(square);
        if (norm > most) {
            double scale = most / (norm + 1e-6);
            for (int i = 0; i < gradient.length; i++) gradient[i] *= (float) scale;
        }
        return norm;
    }
}
