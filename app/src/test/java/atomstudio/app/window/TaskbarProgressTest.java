package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.freedesktop.Taskbar.TaskbarState;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.process.FakeProcessLauncher;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.runs.RunStore;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskbarProgressTest {
    private static final TaskbarState URGENT = new TaskbarState(OptionalInt.empty(), true);

    @TempDir
    Path home;
    private final FakeProcessLauncher launcher = new FakeProcessLauncher();
    private final ManualJobs imageJobs = new ManualJobs();
    private final JobQueue images = new JobQueue(imageJobs);
    private final List<TaskbarState> shown = new ArrayList<>();
    private TaskbarProgress progress;

    /// @return the queue of runs that is shown
    private RunQueue open() {
        RunQueue runs = new RunQueue(new InlineJobs(), launcher, new RunStore(home.resolve("runs")).queue());
        progress = new TaskbarProgress(runs, images);
        progress.state().subscribe(state -> shown.add(state));
        return runs;
    }

    private void train(RunQueue runs) {
        runs.add(new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(MethodName.ATOMS), home.resolve("runs/car-atoms")));
    }

    private static TaskbarState percent(int percent) {
        return new TaskbarState(OptionalInt.of(percent), false);
    }

    private JobQueue.QueuedJob submit(double fraction) {
        return images.submit("images", (entry, cancellation) -> {
            cancellation.throwIfRequested();
            entry.update("step", fraction);
            return entry;
        }, outcome -> {});
    }

    @Test
    void runIsShownFromStartToEndAndCallsForAttention() {
        RunQueue runs = open();
        train(runs);
        assertEquals(List.of(TaskbarState.NONE, percent(0), percent(25), percent(50), percent(75), percent(100)),
                shown.subList(0, 6));
        assertEquals(URGENT, shown.getLast());
        progress.windowFocused().set(true);
        assertEquals(TaskbarState.NONE, shown.getLast());
        progress.windowFocused().set(false);
        assertEquals(TaskbarState.NONE, shown.getLast());
    }

    @Test
    void runThatEndsBeforeTheUserCallsForNothing() {
        RunQueue runs = open();
        progress.windowFocused().set(true);
        train(runs);
        assertTrue(shown.contains(percent(75)), shown.toString());
        assertEquals(TaskbarState.NONE, shown.getLast());
        assertTrue(shown.stream().noneMatch(TaskbarState::urgent), shown.toString());
    }

    @Test
    void failedRunCallsForAttention() {
        launcher.breakAt = 10;
        launcher.breakCode = 1;
        train(open());
        assertEquals(URGENT, shown.getLast());
    }

    @Test
    void cancelledRunIsCleared() {
        RunQueue runs = open();
        launcher.onWait = step -> {
            if (step == 10) runs.cancel();
        };
        train(runs);
        assertTrue(shown.contains(percent(50)), shown.toString());
        assertEquals(TaskbarState.NONE, shown.getLast());
        assertTrue(shown.stream().noneMatch(TaskbarState::urgent), shown.toString());
    }

    @Test
    void imageQueueIsOneProgress() {
        open();
        submit(1);
        submit(1);
        JobQueue.QueuedJob third = submit(0.5);
        submit(1);
        assertEquals(TaskbarState.NONE, shown.getLast(), "no job reports progress yet");
        imageJobs.runNext();
        assertTrue(shown.contains(percent(25)), shown.toString());
        third.cancel();
        assertEquals(percent(50), shown.getLast());
        imageJobs.runAll();
        assertEquals(TaskbarState.NONE, shown.getLast());
        submit(0).update("step", 0.5);
        assertEquals(percent(50), shown.getLast(), "a new queue begins at its start");
    }

    @Test
    void runIsShownBeforeImages() {
        RunQueue runs = open();
        JobQueue.QueuedJob job = submit(0);
        job.update("step", 0.9);
        assertEquals(percent(90), shown.getLast());
        List<TaskbarState> during = new ArrayList<>();
        launcher.onWait = step -> during.add(progress.state().get());
        train(runs);
        assertTrue(during.contains(percent(25)), during.toString());
        assertEquals(new TaskbarState(OptionalInt.of(90), true), shown.getLast());
    }
}
