package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.run.TrainingEvent;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunProgressTest {
    private static RunProgress after(TrainingEvent... events) {
        return RunProgress.initial(RunProgress.RunPhase.STARTING).after(List.of(events));
    }

    private static TrainingEvent step(int step, double loss) {
        return new TrainingEvent.Step(step, loss, 0.01, 0.25, 1_200_000_000L);
    }

    @Test
    void reportsTimeLeftAndSpeed() {
        RunProgress progress = after(new TrainingEvent.Start(0, 100, "cpu", 2), step(1, 1), step(2, 1));
        assertEquals("25 s left", progress.timeLeft());
        assertEquals("4.0 steps/s · 1.2 GB", progress.speedText());
        assertEquals(0.02, progress.fraction(), 1e-9);
    }

    @Test
    void smoothedLossIsBiasCorrectedMovingAverage() {
        RunProgress progress = after(step(1, 1), step(2, 0));
        assertEquals(1, progress.losses().get(0).smoothed(), 1e-9);
        // (0.95 · 0.05 · 1 + 0.05 · 0) / (1 − 0.95²)
        assertEquals(0.0475 / 0.0975, progress.losses().get(1).smoothed(), 1e-9);
    }

    /// The loss of one step varies by its noise; a first step with little noise must not hold the line down.
    @Test
    void smoothedLossDoesNotRiseFromALowFirstStep() {
        RunProgress progress = after(step(1, 0.1), step(2, 1), step(3, 1), step(4, 1), step(5, 1), step(6, 1));
        progress = progress.after(List.of(step(7, 1)));
        assertTrue(progress.losses().getLast().smoothed() > 0.8, progress.losses().toString());
    }

    @Test
    void pausedRunIsActiveWithoutTimeLeft() {
        RunProgress progress = after(new TrainingEvent.Start(0, 100, "cpu", 2), step(1, 1),
                new TrainingEvent.Paused(1));
        assertTrue(progress.isActive());
        assertEquals("", progress.timeLeft());
        assertEquals(RunProgress.RunPhase.TRAINING, progress.after(List.of(new TrainingEvent.Resumed(1))).phase());
    }

    @Test
    void failureKeepsMessageAndLosses() {
        RunProgress progress = after(step(1, 1), new TrainingEvent.Failed(1, "training diverged at step 2"));
        assertEquals("training diverged at step 2", progress.message());
        assertEquals(1, progress.losses().size());
        assertFalse(progress.isActive());
    }

    @Test
    void previewReplacesPreviewOfSameStep() {
        RunProgress progress = after(new TrainingEvent.Preview(0, "a.png", "p"),
                new TrainingEvent.Preview(50, "b.png", "p"), new TrainingEvent.Preview(50, "c.png", "p"));
        assertEquals(List.of("a.png", "c.png"),
                progress.previews().stream().map(RunProgress.PreviewImage::file).toList());
    }

    @Test
    void batchedEventsEqualSingleEvents() {
        List<TrainingEvent> events = new ArrayList<>(List.of(new TrainingEvent.Start(0, 30, "cpu", 2)));
        for (int i = 1; i <= 30; i++) events.add(step(i, 1.0 / i));
        events.add(new TrainingEvent.Start(20, 30, "cpu", 2));
        events.add(step(21, 0.5));
        RunProgress oneByOne = RunProgress.initial(RunProgress.RunPhase.STARTING);
        for (TrainingEvent event : events) oneByOne = oneByOne.after(List.of(event));
        assertEquals(RunProgress.initial(RunProgress.RunPhase.STARTING).after(events), oneByOne);
    }

    @Test
    void keepsValidationsWithBestStep() {
        RunProgress progress = after(new TrainingEvent.Start(0, 100, "cpu", 2), step(25, 1),
                new TrainingEvent.Validation(25, "loss of the held-out photo", 0.4, 25),
                new TrainingEvent.Validation(50, "loss of the held-out photo", 0.5, 25));
        assertEquals(List.of(25, 50),
                progress.history().validations().stream().map(RunProgress.ValidationPoint::step).toList());
        assertTrue(progress.history().validations().getLast().isLoss());
        assertEquals(25, progress.history().validations().getLast().bestStep());
        assertFalse(new RunProgress.ValidationPoint(1, "1 - likeness × alignment", 0.9, 0).isLoss());
    }

    @Test
    void knowsTheLastCheckpoint() {
        RunProgress progress = after(new TrainingEvent.Start(0, 100, "cpu", 2), step(1, 1),
                new TrainingEvent.Checkpoint(1), step(2, 1));
        assertEquals(1, progress.history().checkpoint());
    }

    @Test
    void keepsNotes() {
        RunProgress progress = after(new TrainingEvent.Start(0, 100, "cpu", 2),
                new TrainingEvent.Note(0, "computed in fp32"), step(1, 1), new TrainingEvent.Note(1, "ended early"));
        assertEquals(List.of("computed in fp32", "ended early"),
                progress.history().notes().stream().map(RunProgress.RunNote::text).toList());
        assertEquals("", progress.message());
    }

    @Test
    void restartDropsHistoryAfterCheckpoint() {
        RunProgress progress = after(new TrainingEvent.Start(0, 100, "cpu", 2), step(30, 1),
                new TrainingEvent.Validation(30, "loss", 0.4, 30), new TrainingEvent.Note(30, "a note"),
                new TrainingEvent.Start(20, 100, "cpu", 2));
        assertEquals(new RunProgress.RunHistory(List.of(), List.of(), List.of(), List.of(), 20), progress.history());
    }
}
