package atomstudio.tuning.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BootstrapIntervalTest {
    @Test
    void equalValuesHaveAnEmptyInterval() {
        assertEquals(new BootstrapInterval(0.5, 0.5, 0.5), BootstrapInterval.ofMean(new double[] {0.5, 0.5, 0.5}));
        assertThrows(IllegalArgumentException.class, () -> BootstrapInterval.ofMean(new double[0]));
    }

    /// For many values the interval is the normal one: mean ± 1.96 standard errors.
    @Test
    void matchesTheNormalIntervalForManyValues() {
        SplittableRandom random = new SplittableRandom(7);
        double[] values = random.doubles(400).toArray();
        double mean = 0, square = 0;
        for (double value : values) mean += value / values.length;
        for (double value : values) square += (value - mean) * (value - mean) / (values.length - 1);
        double error = 1.96 * Math.sqrt(square / values.length);
        BootstrapInterval interval = BootstrapInterval.ofMean(values);
        assertEquals(mean, interval.mean(), 1e-12);
        assertEquals(mean - error, interval.low(), 0.1 * error);
        assertEquals(mean + error, interval.high(), 0.1 * error);
    }
}
