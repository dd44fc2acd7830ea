package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class StepRateTest {
    private long millis;
    private final StepRate rate = new StepRate(() -> Instant.ofEpochMilli(millis));

    @Test
    void isZeroBeforeTheSecondUpdate() {
        assertEquals(0, rate.secondsPerStep());
        rate.update(0);
        assertEquals(0, rate.secondsPerStep());
    }

    @Test
    void ignoresASlowStart() {
        rate.update(0);
        millis = 100_000;
        for (int step = 1; step <= 60; step++) {
            millis += 500;
            rate.update(step);
        }
        assertEquals(0.5, rate.secondsPerStep(), 1e-9);
    }
}
