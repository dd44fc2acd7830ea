package atomstudio.tuning.optimize;

import java.util.Map;

/// Adam with decoupled weight decay on a flat vector. Its moments are stored in checkpoints.
/// Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
public final class AdamW implements Optimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final float[] firstMoment;
    private final float[] secondMoment;
    private int stepCount;

    public AdamW(int size) {
        this(new float[size], new float[size], 0);
    }

    /// Resumes after `stepCount` steps.
    public AdamW(float[] firstMoment, float[] secondMoment, int stepCount) {
        this.firstMoment = firstMoment;
        this.secondMoment = secondMoment;
        this.stepCount = stepCount;
    }

    @Override
    public void step(float[] parameters, float[] gradient, LearningRates rates) {
        stepCount++;
        double biasCorrection1 = 1 - Math.pow(BETA1, stepCount);
        double biasCorrection2 = Math.sqrt(1 - Math.pow(BETA2, stepCount));
        for (LearningRates.ParameterGroup group : rates.groups()) {
            double learningRate = rates.rateOf(group);
            for (int i = group.from(); i < group.to(); i++) {
                double g = gradient[i];
                double m = BETA1 * firstMoment[i] + (1 - BETA1) * g;
                double v = BETA2 * secondMoment[i] + (1 - BETA2) * g * g;
                firstMoment[i] = (float) m;
                secondMoment[i] = (float) v;
                double decayed = parameters[i] * (1 - learningRate * group.weightDecay());
                parameters[i] = (float) (decayed
                        - learningRate / biasCorrection1 * m / (Math.sqrt(v) / biasCorrection2 + EPSILON));
            }
        }
    }

    @Override
    public State state() {
        return new State(Map.of("first", firstMoment, "second", secondMoment), Map.of());
    }

    /// Scales a gradient in place to a norm of at most `maxNorm`.
    /// @return the norm before clipping; NaN or infinite if the gradient is
    public static double clipGradientNorm(float[] gradient, double maxNorm) {
        double sumOfSquares = 0;
        for (float g : gradient) sumOfSquares += (double) g * g;
        double norm = Math.sqrt(sumOfSquares);
        if (norm > maxNorm) {
            double scale = maxNorm / (norm + 1e-6);
            for (int i = 0; i < gradient.length; i++) gradient[i] *= (float) scale;
        }
        return norm;
    }
}
