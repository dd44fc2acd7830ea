package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class StepRateTest {
    private long millis;
    private final StepRate pace = new StepRate(() -> Instant.ofEpochMilli(millis));

    @Test
    void knowsNothingBeforeTheSecondMark() {
        assertEquals(0, pace.secondsPerStep());
        pace.update(0);
        assertEquals(0, pace.secondsPerStep());
    }

    @Test
    void forgetsASlowBeginning() {
        pace.update(0);
        millis = 100_000;
        for (int step = 1; step <= 60; step++) {
            millis += 500;
            pace.update(step);
        }
        assertEquals(0.5, pace.secondsPerStep(), 1e-9);
    }
}
