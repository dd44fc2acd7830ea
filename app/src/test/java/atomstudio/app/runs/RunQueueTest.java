package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.process.FakeProcessLauncher;
import atomstudio.app.process.RunSpec;
import atomstudio.app.process.TrainingProcess;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With inline jobs a run happens inside `add`; the callback at every wait simulates clicks during the run.
class RunQueueTest {
    @TempDir
    Path home;
    private final FakeProcessLauncher launcher = new FakeProcessLauncher();
    private RunQueue queue;
    private final List<RunProgress> ended = new ArrayList<>();

    @BeforeEach
    void open() {
        queue = opened();
    }

    private RunQueue opened() {
        return new RunQueue(new InlineJobs(), launcher, new RunStore(home.resolve("runs")).queue());
    }

    private List<String> waitingAfterRestart() {
        RunQueue restarted = opened();
        restarted.restore(() -> {});
        return restarted.waiting().stream().map(spec -> spec.folder().getFileName().toString()).toList();
    }

    private RunSpec spec(MethodName method) {
        return new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(method), home.resolve("runs/car-" + method.option()));
    }

    private RunProgress run(MethodName method) {
        queue.addEndListener((spec, last) -> ended.add(last));
        queue.add(spec(method));
        return ended.getLast();
    }

    @Test
    void followsRunToEnd() {
        List<Integer> seen = new ArrayList<>();
        queue.progress().subscribe(progress -> seen.add(progress.step()));
        assertEquals(RunProgress.RunPhase.DONE, run(MethodName.ATOMS).phase());
        assertTrue(seen.containsAll(List.of(0, 5, 10, 15, 20)), seen.toString());
        assertNull(queue.current().get());
    }

    @Test
    void pausesAndResumes() {
        List<RunProgress.RunPhase> seen = new ArrayList<>();
        int[] waits = {0};
        launcher.onWait = step -> {
            seen.add(queue.progress().get().phase());
            waits[0]++;
            if (waits[0] == 2) {
                queue.pause();
                assertEquals("Pausing…", queue.pendingCommand().get());
            }
            if (waits[0] == 6) queue.resume();
        };
        assertEquals(RunProgress.RunPhase.DONE, run(MethodName.ATOMS).phase());
        assertEquals(List.of(TrainingProcess.ProcessCommand.PAUSE, TrainingProcess.ProcessCommand.RESUME),
                launcher.commands);
        assertTrue(seen.contains(RunProgress.RunPhase.PAUSED), seen.toString());
        assertEquals("", queue.pendingCommand().get());
    }

    @Test
    void cancelStopsWithCheckpoint() {
        launcher.onWait = step -> {
            if (step == 10) queue.cancel();
        };
        RunProgress last = run(MethodName.ATOMS);
        assertEquals(RunProgress.RunPhase.CANCELLED, last.phase());
        assertTrue(last.step() >= 10 && last.step() < 20, "step " + last.step());
    }

    @Test
    void resumesUnfinishedRun() {
        launcher.onWait = step -> {
            if (step == 10) queue.cancel();
        };
        run(MethodName.ATOMS);
        launcher.onWait = step -> {};
        assertEquals(RunProgress.RunPhase.DONE, run(MethodName.ATOMS).phase());
        assertEquals(launcher.specs.get(0), launcher.specs.get(1));
    }

    @Test
    void resumedRunShowsStarting() {
        launcher.onWait = step -> {
            if (step == 10) queue.cancel();
        };
        run(MethodName.ATOMS);
        List<RunProgress.RunPhase> seen = new ArrayList<>();
        launcher.onWait = step -> seen.add(queue.progress().get().phase());
        run(MethodName.ATOMS);
        assertEquals(RunProgress.RunPhase.STARTING, seen.getFirst());
        assertFalse(seen.contains(RunProgress.RunPhase.CANCELLED), seen.toString());
    }

    @Test
    void crashMessageNamesNextStep() {
        launcher.breakAt = 7;
        launcher.breakCode = 134;
        RunProgress last = run(MethodName.ATOMS);
        assertEquals(RunProgress.RunPhase.FAILED, last.phase());
        assertTrue(last.message().startsWith("The training process crashed in native code (exit code 134). Resume it;"),
                last.message());
        assertEquals(7, last.step());
    }

    @Test
    void killedProcessReportsMemory() {
        launcher.breakAt = 7;
        launcher.breakCode = 137;
        assertTrue(run(MethodName.ATOMS).message().contains("memory ran out"), ended.getLast().message());
    }

    @Test
    void failureReportsProcessOutput() {
        launcher.breakAt = 0;
        launcher.breakCode = 1;
        launcher.output = "The photos changed since the run began.";
        assertEquals("The photos changed since the run began.", run(MethodName.ATOMS).message());
    }

    @Test
    void queuedRunsStartInOrder() {
        boolean[] added = {false};
        launcher.onWait = step -> {
            if (added[0]) return;
            added[0] = true;
            queue.add(spec(MethodName.LORA));
            queue.add(spec(MethodName.CHANNELS));
            queue.remove(queue.waiting().getLast());
            assertEquals(List.of(MethodName.LORA), queue.waiting().stream().map(RunSpec::choice).toList());
        };
        run(MethodName.ATOMS);
        assertEquals(List.of(MethodName.ATOMS, MethodName.LORA), launcher.specs.stream().map(RunSpec::choice).toList());
        assertEquals(2, ended.size());
    }

    @Test
    void closingKeepsTheQueueWithTheInterruptedRunInFront() {
        launcher.onWait = step -> {
            if (step == 5) {
                queue.add(spec(MethodName.LORA));
                queue.suspend();
            }
        };
        run(MethodName.ATOMS);
        assertEquals(1, launcher.specs.size());
        assertEquals(List.of("car-atoms", "car-lora"), waitingAfterRestart());
        launcher.onWait = step -> {};
        RunQueue restarted = opened();
        restarted.restore(restarted::startNext);
        assertEquals(3, launcher.specs.size());
        assertEquals(List.of(), waitingAfterRestart());
    }

    @Test
    void discardedRunLeavesTheQueue() {
        launcher.onWait = step -> {
            if (step == 5) {
                queue.add(spec(MethodName.LORA));
                queue.suspendWithoutCurrent();
            }
        };
        run(MethodName.ATOMS);
        assertEquals(List.of("car-lora"), waitingAfterRestart());
    }

    /// The state in the middle of a run is what a kill leaves.
    @Test
    void killKeepsTheQueueWithItsSettings() {
        TrainingSettings training = TrainingSettings.DEFAULTS.with(TrainingSetting.STEPS, "33");
        RunSpec queued = new RunSpec("car", Path.of("/model"), Path.of("/photos"),
                new RunSpec.SubjectPhrase("car", "sks"),
                new RunSpec.TrainingChoices(MethodSettings.of(MethodName.LORA).with(MethodSetting.RANK, "8"), training),
                home.resolve("runs/car-lora"));
        List<RunSpec> afterKill = new ArrayList<>();
        launcher.onWait = step -> {
            if (step != 5 || !afterKill.isEmpty()) return;
            queue.add(queued);
            RunQueue restarted = opened();
            restarted.restore(() -> {});
            afterKill.addAll(restarted.waiting());
        };
        run(MethodName.ATOMS);
        assertEquals(List.of(spec(MethodName.ATOMS), queued), afterKill);
    }

    @Test
    void damagedFileOfTheQueueIsSkipped() throws Exception {
        Files.writeString(home.resolve("queue.json"), "{\"runs\":[{\"subject\":3}]}");
        assertEquals(List.of(), waitingAfterRestart());
    }
}
