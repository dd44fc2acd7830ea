package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.run.MovingAverage;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.TrainingLoss;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The part of a training step that is the same for every objective: clipping the gradient, the optimizer's step, and
/// the moving averages of parameters and loss.
public record ParameterUpdate(TrainingConfig config, Optimizer optimizer, List<LearningRates.ParameterGroup> groups) {
    private static final double MAX_GRADIENT_NORM = 1;
    private static final int CHECKPOINT_INTERVAL_STEPS = 25;
    private static final long CHECKPOINT_INTERVAL_NANOS = 30_000_000_000L;
    /// Weight of a step in the moving average of the loss.
    private static final double LOSS_SMOOTHING = 0.95;

    public static boolean isCheckpointDue(int unsavedSteps, long savedAtNanos) {
        return unsavedSteps >= CHECKPOINT_INTERVAL_STEPS
                || System.nanoTime() - savedAtNanos > CHECKPOINT_INTERVAL_NANOS;
    }

    /// Clips a gradient in place.
    /// @return its norm before; not finite if it or the gradient is not
    public static double clip(TrainingLoss.Gradient gradient) {
        return AdamW.clipGradientNorm(gradient.vector(), MAX_GRADIENT_NORM);
    }

    /// The learning rate of a step, counted from 0.
    public double learningRate(int step) {
        return config.schedule().learningRate(step);
    }

    /// The state after a step; updates the parameters in place.
    /// @param gradient clipped and finite
    /// @param start    of the step, in nanoseconds
    public TrainingState apply(TrainingState state, TrainingLoss.Gradient gradient, long start) throws Failure {
        int step = state.step();
        optimizer.step(state.parameters(), gradient.vector(), new LearningRates(learningRate(step), groups));
        double meanLoss = new MovingAverage(LOSS_SMOOTHING, step, state.meanLoss()).with(gradient.loss()).value();
        double seconds = (System.nanoTime() - start) / 1e9;
        Map<String, Double> scalars = new HashMap<>(state.scalars());
        scalars.putAll(optimizer.state().scalars());
        return new TrainingState(step + 1, state.parameters(), stateVectors(state), scalars, state.seconds() + seconds,
                meanLoss);
    }

    /// The optimizer's state and the moving average of the parameters, whose decay is smaller in the first steps, so
    /// that it does not stay near the initialization.
    private Map<String, float[]> stateVectors(TrainingState state) {
        double emaDecay = config.optimizer().emaDecay();
        if (emaDecay == 0) return optimizer.state().vectors();
        Map<String, float[]> vectors = new HashMap<>(optimizer.state().vectors());
        double decay = Math.min(emaDecay, (1.0 + state.step()) / (10 + state.step()));
        float[] previous = state.adapterParameters();
        float[] ema = new float[previous.length];
        for (int i = 0; i < ema.length; i++)
            ema[i] = (float) (decay * previous[i] + (1 - decay) * state.parameters()[i]);
        vectors.put(TrainingState.EMA, ema);
        return vectors;
    }
}
