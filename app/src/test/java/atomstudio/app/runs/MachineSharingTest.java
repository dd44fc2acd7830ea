package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.process.FakeProcessLauncher;
import atomstudio.app.process.RunSpec;
import atomstudio.app.process.TrainingProcess.ProcessCommand;
import atomstudio.app.settings.AppSettings.SharingRule;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineSharingTest {
    @TempDir
    Path folder;
    private final FakeProcessLauncher launcher = new FakeProcessLauncher();
    private final FakeDesktop desktop = new FakeDesktop();
    private final ManualJobs imageJobs = new ManualJobs();
    private RunQueue runs;
    private final JobQueue images = new JobQueue(imageJobs);
    private MachineSharing sharing;
    private final List<String> events = new ArrayList<>();

    @BeforeEach
    void open() {
        runs = new RunQueue(new InlineJobs(), launcher, new QueueFile(folder.resolve("queue.json")));
        sharing = new MachineSharing(runs, images, desktop);
    }

    private RunSpec run(String name) {
        return new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(MethodName.ATOMS), folder.resolve(name));
    }

    private JobQueue.QueuedJob submitImages() {
        return images.submit("4 images", (entry, cancellation) -> events.add("images"), outcome -> {});
    }

    @Test
    void runPausesForImagesAndContinues() {
        launcher.onWait = step -> {
            if (step == 5 && launcher.commands.isEmpty()) {
                assertEquals("Waiting for the run to pause", submitImages().status().get());
                assertEquals(0, imageJobs.pendingCount());
            }
            if (runs.progress().get().phase() == RunProgress.RunPhase.PAUSED && imageJobs.pendingCount() == 1)
                imageJobs.runAll();
        };
        runs.add(run("car-atoms"));
        assertEquals(List.of(ProcessCommand.PAUSE, ProcessCommand.RESUME), launcher.commands);
        assertEquals(List.of("images"), events);
        assertEquals(RunProgress.RunPhase.DONE, runs.progress().get().phase());
    }

    @Test
    void cancelledImagesLetTheRunContinue() {
        launcher.onWait = step -> {
            if (step == 5 && launcher.commands.isEmpty()) submitImages();
            if (runs.progress().get().phase() == RunProgress.RunPhase.PAUSED && imageJobs.pendingCount() == 1) {
                images.cancelAll();
                imageJobs.runAll();
            }
        };
        runs.add(run("car-atoms"));
        assertEquals(List.of(ProcessCommand.PAUSE, ProcessCommand.RESUME), launcher.commands);
        assertEquals(List.of("images"), events, "the job of this test does not look at cancellation");
    }

    @Test
    void imagesWaitForTheEndOfTheRunAndBeforeTheNext() {
        sharing.setRule(SharingRule.AFTER_RUN);
        assertEquals(SharingRule.AFTER_RUN, desktop.get().sharingRule(), "the rule is kept");
        runs.addEndListener((spec, progress) -> events.add(spec.folder().getFileName().toString()));
        launcher.onWait = step -> {
            if (step != 5 || runs.waiting().size() + events.size() > 0) return;
            runs.add(run("car-lora"));
            assertEquals("Waiting for the end of the run", submitImages().status().get());
        };
        runs.add(run("car-atoms"));
        assertEquals(List.of("car-atoms"), events);
        assertEquals(1, runs.waiting().size(), "the next run waits for the images");
        imageJobs.runAll();
        assertEquals(List.of("car-atoms", "images", "car-lora"), events);
        assertEquals(List.of(), launcher.commands);
    }

    @Test
    void sharedMachineStartsImagesAtOnce() {
        sharing.setRule(SharingRule.SHARE);
        launcher.onWait = step -> {
            if (step != 5) return;
            submitImages();
            assertEquals(1, imageJobs.pendingCount());
            imageJobs.runAll();
        };
        runs.add(run("car-atoms"));
        assertEquals(List.of(), launcher.commands);
        assertTrue(images.isIdle());
    }
}
