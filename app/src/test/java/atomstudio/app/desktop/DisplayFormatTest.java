package atomstudio.app.desktop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;

class DisplayFormatTest {
    @Test
    void formatsBytes() {
        assertEquals("999 B", DisplayFormat.bytes(999));
        assertEquals("1.0 KB", DisplayFormat.bytes(1000));
        assertEquals("9.6 KB", DisplayFormat.bytes(9600));
        assertEquals("164 KB", DisplayFormat.bytes(164_321));
        assertEquals("1.0 MB", DisplayFormat.bytes(999_999));
        assertEquals("3.1 GB", DisplayFormat.bytes(3_100_000_000L));
    }

    @Test
    void formatsDurations() {
        assertEquals("0:19", DisplayFormat.clock(19.4));
        assertEquals("12:05", DisplayFormat.clock(725));
        assertEquals("1:00:07", DisplayFormat.clock(3607));
        assertEquals("7.3 s", DisplayFormat.duration(7.26));
        assertEquals("38 s", DisplayFormat.duration(38.25));
        assertEquals("2 min 05 s", DisplayFormat.duration(125));
        assertEquals("1 min 00 s", DisplayFormat.duration(59.6));
        assertEquals("51 s", DisplayFormat.roughDuration(51));
        assertEquals("5 min", DisplayFormat.roughDuration(282));
        assertEquals("1 h 00 min", DisplayFormat.roughDuration(3601));
    }

    @Test
    void formatsCountsWithSuffix() {
        assertEquals("38,364", DisplayFormat.compactCount(38_364));
        assertEquals("5.9 M", DisplayFormat.compactCount(5_898_596));
        assertEquals("860 M", DisplayFormat.compactCount(859_520_964));
        assertEquals("2.6 B", DisplayFormat.compactCount(2_567_463_684L));
    }

    @Test
    void formatsPercentWithTwoDigits() {
        assertEquals("0.65%", DisplayFormat.percent(0.006504));
        assertEquals("1.1%", DisplayFormat.percent(0.01115));
        assertEquals("12%", DisplayFormat.percent(0.1234));
        assertEquals("0.00049%", DisplayFormat.percent(4212 / 859_520_964.0));
        assertEquals("0%", DisplayFormat.percent(0));
    }

    @Test
    void formatsDatesRelativeToToday() {
        Instant noon = Instant.now().truncatedTo(ChronoUnit.DAYS).plus(12, ChronoUnit.HOURS);
        assertEquals("today", DisplayFormat.dateTime(noon, noon).split(" ")[0]);
        assertEquals("yesterday", DisplayFormat.dateTime(noon.minus(1, ChronoUnit.DAYS), noon).split(" ")[0]);
        assertEquals("3 May 2026",
                DisplayFormat.dateTime(Instant.parse("2026-05-03T12:00:00Z"), Instant.parse("2026-07-01T12:00:00Z")));
    }
}
