package atomstudio.tuning.optimize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AdamWTest {
    @Test
    void firstStepMovesEveryParameterByTheLearningRate() throws Exception {
        float[] parameters = {1, -2, 3};
        new AdamW(3).step(parameters, new float[] {0.5f, -4, 1e-3f}, 0.1);
        assertArrayEquals(new float[] {0.9f, -1.9f, 2.9f}, parameters, 1e-5f);
    }

    @Test
    void weightDecayIsDecoupled() throws Exception {
        float[] parameters = {1};
        new AdamW(1).step(parameters, new float[] {0}, LearningRates.uniform(0.1, 1, 0.5));
        assertEquals(0.95, parameters[0], 1e-6);
    }

    @Test
    void resumesFromItsMoments() throws Exception {
        float[] straight = {1, 2};
        AdamW one = new AdamW(2);
        for (int i = 1; i <= 6; i++) one.step(straight, new float[] {i, 1f / i}, 0.01);
        float[] resumed = {1, 2};
        AdamW before = new AdamW(2);
        for (int i = 1; i <= 3; i++) before.step(resumed, new float[] {i, 1f / i}, 0.01);
        AdamW after = new AdamW(before.state().vectors().get("first").clone(),
                before.state().vectors().get("second").clone(), 3);
        for (int i = 4; i <= 6; i++) after.step(resumed, new float[] {i, 1f / i}, 0.01);
        assertArrayEquals(straight, resumed);
    }

    @Test
    void clippingKeepsTheDirectionAndBoundsTheNorm() throws Exception {
        float[] gradient = {3, 4};
        assertEquals(5, AdamW.clipGradientNorm(gradient, 1), 1e-9);
        assertArrayEquals(new float[] {0.6f, 0.8f}, gradient, 1e-5f);
        float[] small = {0.3f, 0.4f};
        AdamW.clipGradientNorm(small, 1);
        assertArrayEquals(new float[] {0.3f, 0.4f}, small);
        assertTrue(Double.isNaN(AdamW.clipGradientNorm(new float[] {Float.NaN, 1}, 1)));
    }
}
