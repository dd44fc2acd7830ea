package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;
import java.util.Map;

/// Updates parameters from their gradient. One thread.
public sealed interface Optimizer permits AdamW, Prodigy, Muon {
    /// Changes the parameters in place, by one step at these learning rates.
    /// @throws Failure.OutOfMemory where the device's memory does not suffice for it
    void step(float[] parameters, float[] gradient, LearningRates rates) throws Failure;

    /// The same with one learning rate for all parameters.
    default void step(float[] parameters, float[] gradient, double rate) throws Failure {
        step(parameters, gradient, LearningRates.uniform(rate, parameters.length));
    }

    /// What the next step depends on beside the numbers, shared, not copied.
    State state();

    /// Vectors as long as the numbers, and single numbers, by name.
    record State(Map<String, float[]> vectors, Map<String, Double> scalars) {
        public State {
            vectors = Map.copyOf(vectors);
            scalars = Map.copyOf(scalars);
        }
    }
}
