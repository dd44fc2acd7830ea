package atomstudio.app.desktop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;

class ReadableTest {
    @Test void bytesAreInTheUnitOnePictures() {
        assertEquals("999 B", Readable.bytes(999));
        assertEquals("1.0 KB", Readable.bytes(1000));
        assertEquals("9.6 KB", Readable.bytes(9600));
        assertEquals("164 KB", Readable.bytes(164_321));
        assertEquals("1.0 MB", Readable.bytes(999_999));
        assertEquals("3.1 GB", Readable.bytes(3_100_000_000L));
    }

    @Test void durationsHaveHoursOnlyWhenThereAreSome() {
        assertEquals("0:19", Readable.duration(19.4));
        assertEquals("12:05", Readable.duration(725));
        assertEquals("1:00:07", Readable.duration(3607));
    }

    @Test void sharesKeepTwoDigitsThatSaySomething() {
        assertEquals("0.65 %", Readable.share(0.006504));
        assertEquals("1.1 %", Readable.share(0.01115));
        assertEquals("12 %", Readable.share(0.1234));
        assertEquals("0.00049 %", Readable.share(4212 / 859_520_964.0));
        assertEquals("0 %", Readable.share(0));
    }

    @Test void momentsAreToldFromToday() {
        Instant noon = Instant.now().truncatedTo(ChronoUnit.DAYS).plus(12, ChronoUnit.HOURS);
        assertEquals("today", Readable.moment(noon, noon).split(" ")[0]);
        assertEquals("yesterday", Readable.moment(noon.minus(1, ChronoUnit.DAYS), noon).split(" ")[0]);
        assertEquals("3 May 2026", Readable.moment(Instant.parse("2026-05-03T12:00:00Z"), Instant.parse("2026-07-01T12:00:00Z")));
    }
}
