package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private long now = 0;

    @Test
    void showsStepTotalSpeedAndRemainingTime() {
        ProgressBar progress = ProgressBar.of(screen(100), () -> Instant.ofEpochMilli(now), "atoms", 100);
        progress.update(0);
        for (int step = 1; step <= 50; step++) {
            now += 500;
            progress.update(step, "loss 0.250");
        }
        assertEquals("atoms  [============            ]  50/100  loss 0.250  2.0 steps/s  0:25 left", lastDrawn());
    }

    @Test
    void remainingTimeOfAResumedJobIgnoresEarlierSteps() {
        ProgressBar progress = ProgressBar.of(screen(100), () -> Instant.ofEpochMilli(now), "atoms", 100);
        progress.update(80);
        now += 2_000;
        progress.update(81);
        assertTrue(lastDrawn().endsWith("81/100  2.0 s/step  0:38 left"), lastDrawn());
    }

    @Test
    void ignoresASlowStart() {
        ProgressBar progress = ProgressBar.of(screen(100), () -> Instant.ofEpochMilli(now), "atoms", 1000);
        progress.update(0);
        now += 60_000;
        for (int step = 1; step <= 100; step++) {
            now += 1_000;
            progress.update(step);
        }
        assertTrue(lastDrawn().endsWith("100/1000  1.0 s/step  15:00 left"), lastDrawn());
    }

    @Test
    void restartExcludesEarlierTime() {
        ProgressBar progress = ProgressBar.of(screen(100), () -> Instant.ofEpochMilli(now), "atoms", 4);
        progress.update(0);
        now += 72_000;
        progress.restartAt(0, Duration.ofSeconds(16));
        progress.update(1);
        assertTrue(lastDrawn().endsWith("1/4  16.0 s/step  0:48 left"), lastDrawn());
    }

    @Test
    void cutsLinesToTheTerminalsWidth() {
        ProgressBar progress = ProgressBar.of(screen(20), () -> Instant.ofEpochMilli(now), "atoms+channels", 10);
        progress.update(1);
        assertEquals(19, lastDrawn().length());
    }

    @Test
    void printsOccasionalLinesWithoutATerminal() {
        ProgressBar progress = ProgressBar.of(Terminal.plain(new PrintWriter(out), new PrintWriter(err)),
                () -> Instant.ofEpochMilli(now), "lora", 40);
        for (int step = 0; step <= 40; step++) {
            progress.update(step);
            now += 1_000;
        }
        progress.close();
        assertEquals(
                List.of("lora  0/40", "lora  15/40  1.0 s/step  0:25 left", "lora  30/40  1.0 s/step  0:10 left",
                        "lora  40/40  1.0 s/step"),
                err.toString().lines().toList());
    }

    @Test
    void notesHaveTheirOwnLineAndTheBarIsRemovedAtTheEnd() {
        Terminal terminal = screen(60);
        try (ProgressBar progress = ProgressBar.of(terminal, () -> Instant.ofEpochMilli(now), "x", 2)) {
            progress.update(1);
            terminal.printNote("a warning");
            progress.update(2);
        }
        String text = err.toString();
        assertTrue(text.contains("\ra warning" + System.lineSeparator()), text);
        assertTrue(text.endsWith(" \r"), text);
        assertEquals("", out.toString());
    }

    private Terminal screen(int columns) {
        return Terminal.interactive(new PrintWriter(out), new PrintWriter(err), columns);
    }

    private String lastDrawn() {
        String text = err.toString();
        return text.substring(text.lastIndexOf('\r') + 1).stripTrailing();
    }
}
