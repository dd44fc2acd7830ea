package atomstudio.app.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.train.TuneEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class TuneProgressTest {
    private final StringWriter err = new StringWriter();
    private final Terminal terminal = Terminal.plain(new PrintWriter(new StringWriter()), new PrintWriter(err));

    @Test
    void aRunThatGoesOnBeginsWhereItStopped() {
        try (TuneProgress progress = new TuneProgress(terminal, "lora")) {
            progress.on(new TuneEvent.Start(30, 40, "cpu", 2));
            for (int step = 31; step <= 40; step++) {
                progress.on(new TuneEvent.Step(step, 0.5, 1e-3, 0.1, 1));
            }
        }
        List<String> lines = err.toString().lines().toList();
        assertEquals("lora  30/40", lines.getFirst());
        assertTrue(lines.getLast().startsWith("lora  40/40  loss 0.5000"), lines.getLast());
    }

    @Test
    void theShownLossIsSmoothed() {
        try (TuneProgress progress = new TuneProgress(terminal, "atoms")) {
            progress.on(new TuneEvent.Start(0, 2, "cpu", 2));
            progress.on(new TuneEvent.Step(1, 0.2, 1e-3, 0.1, 1));
            progress.on(new TuneEvent.Step(2, 1.2, 1e-3, 0.1, 1));
        }
        assertTrue(err.toString().contains("2/2  loss 0.3000"), err::toString);
    }

    @Test
    void notesOfTheTrainerAreShown() {
        try (TuneProgress progress = new TuneProgress(terminal, "atoms")) {
            progress.on(new TuneEvent.Note(3, "another thread count: not bit-equal"));
        }
        assertEquals("another thread count: not bit-equal", err.toString().strip());
    }
}
