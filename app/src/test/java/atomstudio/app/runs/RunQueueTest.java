package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.process.FakeProcessLauncher;
import atomstudio.app.process.RunSpec;
import atomstudio.app.process.TrainingProcess;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With inline jobs the run goes on inside `add`; the fake tuner calls back each time it is waited for, as a person
/// would click meanwhile.
class RunQueueTest {
    @TempDir
    Path runs;
    private final FakeProcessLauncher tuner = new FakeProcessLauncher();
    private final RunQueue queue = new RunQueue(new InlineJobs(), tuner);
    private final List<RunProgress> ended = new ArrayList<>();

    private RunSpec order(MethodName method) {
        return new RunSpec("car", Path.of("/model"), Path.of("/pictures"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(method), runs.resolve("car-" + method.option()));
    }

    private RunProgress run(MethodName method) {
        queue.addEndListener((order, last) -> ended.add(last));
        queue.add(order(method));
        return ended.getLast();
    }

    @Test
    void followsARunToItsEnd() {
        List<Integer> seen = new ArrayList<>();
        queue.progress().subscribe(progress -> seen.add(progress.step()));
        assertEquals(RunProgress.RunPhase.DONE, run(MethodName.ATOMS).phase());
        assertTrue(seen.containsAll(List.of(0, 5, 10, 15, 20)), seen.toString());
        assertNull(queue.current().get());
    }

    @Test
    void pausesAndGoesOn() {
        List<RunProgress.RunPhase> seen = new ArrayList<>();
        int[] looks = {0};
        tuner.onWait = step -> {
            seen.add(queue.progress().get().phase());
            looks[0]++;
            if (looks[0] == 2) {
                queue.pause();
                assertEquals("Pausing…", queue.pendingCommand().get());
            }
            if (looks[0] == 6) queue.resume();
        };
        assertEquals(RunProgress.RunPhase.DONE, run(MethodName.ATOMS).phase());
        assertEquals(List.of(TrainingProcess.ProcessCommand.PAUSE, TrainingProcess.ProcessCommand.RESUME), tuner.heard);
        assertTrue(seen.contains(RunProgress.RunPhase.PAUSED), seen.toString());
        assertEquals("", queue.pendingCommand().get());
    }

    @Test
    void cancellingEndsWithACheckpoint() {
        tuner.onWait = step -> {
            if (step == 10) queue.cancel();
        };
        RunProgress last = run(MethodName.ATOMS);
        assertEquals(RunProgress.RunPhase.CANCELLED, last.phase());
        assertTrue(last.step() >= 10 && last.step() < 20, "step " + last.step());
    }

    @Test
    void anUnfinishedRunIsGoneOnWithUnderTheSameOrder() {
        tuner.onWait = step -> {
            if (step == 10) queue.cancel();
        };
        run(MethodName.ATOMS);
        tuner.onWait = step -> {};
        assertEquals(RunProgress.RunPhase.DONE, run(MethodName.ATOMS).phase());
        assertEquals(tuner.orders.get(0), tuner.orders.get(1));
    }

    @Test
    void whileAResumedRunStartsItsFormerEndIsNotShown() {
        tuner.onWait = step -> {
            if (step == 10) queue.cancel();
        };
        run(MethodName.ATOMS);
        List<RunProgress.RunPhase> seen = new ArrayList<>();
        tuner.onWait = step -> seen.add(queue.progress().get().phase());
        run(MethodName.ATOMS);
        assertEquals(RunProgress.RunPhase.STARTING, seen.getFirst());
        assertFalse(seen.contains(RunProgress.RunPhase.CANCELLED), seen.toString());
    }

    @Test
    void aCrashIsASentenceWithTheNextStep() {
        tuner.breakAt = 7;
        tuner.breakCode = 134;
        RunProgress last = run(MethodName.ATOMS);
        assertEquals(RunProgress.RunPhase.FAILED, last.phase());
        assertTrue(last.message().startsWith("The tuning process crashed in native code (code 134). Resume it;"),
                last.message());
        assertEquals(7, last.step());
    }

    @Test
    void beingKilledForMemoryIsSaidSo() {
        tuner.breakAt = 7;
        tuner.breakCode = 137;
        assertTrue(run(MethodName.ATOMS).message().contains("the memory did not suffice"), ended.getLast().message());
    }

    @Test
    void aRefusalIsToldInTheProgramsOwnWords() {
        tuner.breakAt = 0;
        tuner.breakCode = 1;
        tuner.words = "The pictures changed since the run began.";
        assertEquals("The pictures changed since the run began.", run(MethodName.ATOMS).message());
    }

    @Test
    void othersWaitForTheRunOnItsWayAndFollowInOrder() {
        boolean[] added = {false};
        tuner.onWait = step -> {
            if (added[0]) return;
            added[0] = true;
            queue.add(order(MethodName.LORA));
            queue.add(order(MethodName.CHANNELS));
            queue.remove(queue.waiting().getLast());
            assertEquals(List.of(MethodName.LORA), queue.waiting().stream().map(RunSpec::choice).toList());
        };
        run(MethodName.ATOMS);
        assertEquals(List.of(MethodName.ATOMS, MethodName.LORA), tuner.orders.stream().map(RunSpec::choice).toList());
        assertEquals(2, ended.size());
    }

    @Test
    void stoppingAllEmptiesTheQueueToo() {
        tuner.onWait = step -> {
            if (step == 5) {
                queue.add(order(MethodName.LORA));
                queue.stopAll();
            }
        };
        run(MethodName.ATOMS);
        assertEquals(1, tuner.orders.size());
    }
}
