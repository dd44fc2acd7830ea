package atomstudio.tuning.optimize;

import java.util.Map;

/// Moves numbers against their gradient. One thread.
public sealed interface Optimizer permits AdamW, Prodigy, Muon {
    /// Changes the numbers in place, by one step at this rate.
    void step(float[] numbers, float[] gradient, double rate);

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
