package atomstudio.tuning.optimize;

import atomstudio.diffusion.Failure;
import java.util.Map;

/// Updates parameters from their gradient. One thread.
public sealed interface Optimizer permits AdamW, Prodigy, Muon {
    /// Updates the parameters in place by one step.
    /// @throws Failure.OutOfMemory if the device has too little memory for the step
    void step(float[] parameters, float[] gradient, LearningRates rates) throws Failure;

    /// The same with one learning rate for all parameters.
    default void step(float[] parameters, float[] gradient, double rate) throws Failure {
        step(parameters, gradient, LearningRates.uniform(rate, parameters.length));
    }

    /// The optimizer's state: what the next step depends on besides the parameters. Shared, not copied.
    State state();

    /// Vectors of the parameters' size, and scalars, by name.
    record State(Map<String, float[]> vectors, Map<String, Double> scalars) {
        public State {
            vectors = Map.copyOf(vectors);
            scalars = Map.copyOf(scalars);
        }
    }
}
