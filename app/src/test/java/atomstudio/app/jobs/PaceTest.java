package atomstudio.app.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class PaceTest {
    private long millis;
    private final Pace pace = new Pace(() -> Instant.ofEpochMilli(millis));

    @Test void knowsNothingBeforeTheSecondMark() {
        assertEquals(0, pace.seconds());
        pace.at(0);
        assertEquals(0, pace.seconds());
    }

    @Test void forgetsASlowBeginning() {
        pace.at(0);
        millis = 100_000;
        for (int step = 1; step <= 60; step++) {
            millis += 500;
            pace.at(step);
        }
        assertEquals(0.5, pace.seconds(), 1e-9);
    }
}
