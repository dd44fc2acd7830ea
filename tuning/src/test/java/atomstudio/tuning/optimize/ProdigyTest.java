package atomstudio.tuning.optimize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProdigyTest {
    private static final float[] TARGET = {0.3f, 0.4f, -0.7f};

    private static float[] start() {
        return new float[3];
    }

    private static void run(Prodigy prodigy, float[] parameters, int steps) throws Exception {
        for (int k = 0; k < steps; k++) {
            float[] gradient = new float[3];
            for (int i = 0; i < 3; i++) gradient[i] = parameters[i] - TARGET[i];
            prodigy.step(parameters, gradient, 1);
        }
    }

    /// Values from `goldens/optimizers.py`: algorithm 4 of the paper in float64.
    @Test
    void matchesThePapersAlgorithm() throws Exception {
        float[] parameters = start();
        Prodigy prodigy = new Prodigy(parameters);
        run(prodigy, parameters, 1);
        assertArrayEquals(new float[] {3.1622743e-6f, 3.1622752e-6f, -3.1622762e-6f}, parameters, 1e-11f);
        run(prodigy, parameters, 49);
        assertArrayEquals(new float[] {0.3281556f, 0.3744144f, -0.6348120f}, parameters, 1e-4f);
        assertEquals(0.16496114, prodigy.distance(), 1e-5);
        run(prodigy, parameters, 150);
        assertArrayEquals(new float[] {0.3000110f, 0.4000102f, -0.6999681f}, parameters, 1e-4f);
    }

    @Test
    void resumesBitwiseFromItsState() throws Exception {
        float[] straight = start();
        Prodigy one = new Prodigy(straight);
        run(one, straight, 60);
        float[] resumed = start();
        Prodigy before = new Prodigy(resumed);
        run(before, resumed, 25);
        Map<String, float[]> copies = new HashMap<>();
        before.state().vectors().forEach((name, vector) -> copies.put(name, vector.clone()));
        run(new Prodigy(new Optimizer.State(copies, before.state().scalars())), resumed, 35);
        assertArrayEquals(straight, resumed);
    }
}
