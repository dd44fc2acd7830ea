package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.JobQueue;
import atomstudio.app.settings.AppSettings.SharingRule;
import atomstudio.app.settings.SettingsStore;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.collections.ListChangeListener;

/// Training and image generation use the same processors and memory. A rule that the person chooses decides what
/// happens when images are wanted during a run. Window's thread.
public final class MachineSharing {
    private final RunQueue runs;
    private final JobQueue images;
    private final SettingsStore settings;
    private final ReadOnlyObjectWrapper<SharingRule> rule;
    private Pause pause = Pause.NONE;

    /// A pause of the current run for images.
    private enum Pause {
        NONE,
        /// Requested; images start when the run is paused.
        REQUESTED,
        /// The run waits for the images.
        PAUSED,
        /// The person resumed the run: it and the images share the machine.
        OVERRULED
    }

    public MachineSharing(RunQueue runs, JobQueue images, SettingsStore settings) {
        this.runs = runs;
        this.images = images;
        this.settings = settings;
        rule = new ReadOnlyObjectWrapper<>(settings.get().sharingRule());
        runs.holdWhile(() -> rule.get() != SharingRule.SHARE && !images.isIdle());
        runs.current().subscribe(now -> {
            pause = Pause.NONE;
            update();
        });
        runs.progress().subscribe(now -> update());
        images.entries().addListener((ListChangeListener<JobQueue.QueuedJob>) change -> {
            update();
            if (images.isIdle()) runs.startNext();
        });
    }

    public ReadOnlyObjectProperty<SharingRule> rule() {
        return rule.getReadOnlyProperty();
    }

    public void setRule(SharingRule chosen) {
        if (chosen == rule.get()) return;
        rule.set(chosen);
        settings.update(now -> now.with(chosen));
        if (pause == Pause.PAUSED && chosen != SharingRule.PAUSE_RUN) runs.resume();
        pause = Pause.NONE;
        update();
    }

    private void update() {
        RunProgress.RunPhase phase = runs.progress().get().phase();
        boolean training = runs.current().get() != null && phase != RunProgress.RunPhase.PAUSED;
        if (rule.get() == SharingRule.PAUSE_RUN) updatePause(training);
        images.hold(reasonToWait(training));
    }

    private void updatePause(boolean training) {
        if (images.isIdle()) {
            if (pause == Pause.PAUSED || pause == Pause.REQUESTED) runs.resume();
            pause = Pause.NONE;
            return;
        }
        switch (pause) {
            case NONE -> {
                if (!training) return;
                pause = Pause.REQUESTED;
                runs.pause();
            }
            case REQUESTED -> {
                if (!training) pause = Pause.PAUSED;
            }
            case PAUSED -> {
                if (training) pause = Pause.OVERRULED;
            }
            case OVERRULED -> {}
        }
    }

    private String reasonToWait(boolean training) {
        if (!training) return "";
        return switch (rule.get()) {
            case SHARE -> "";
            case AFTER_RUN -> text("runs.waiting-for-the-end-of-the-run");
            case PAUSE_RUN -> pause == Pause.OVERRULED ? "" : text("runs.waiting-for-the-run-to-pause");
        };
    }
}
