package atomstudio.app.window;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.models.GetModelViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.services.Services;
import atomstudio.app.subjects.SubjectPageViewModel;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;

/// What the program does now, in a line, and the machine that it runs on.
public final class StatusLine {
    private final WindowViewModel window;
    private final Services services;
    private final ReadOnlyStringWrapper message = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper systemInfo = new ReadOnlyStringWrapper("");

    StatusLine(WindowViewModel window, Services services) {
        this.window = window;
        this.services = services;
        window.images().entries().addListener((ListChangeListener<JobQueue.QueuedJob>) change -> update());
        window.queue().current().subscribe(now -> update());
        window.queue().progress().subscribe(now -> update());
        window.downloads().status().subscribe(now -> update());
        window.page().subscribe(now -> update());
        watch(window.generate());
        window.subjects().pages().addListener((ListChangeListener<SubjectPageViewModel>) change -> {
            while (change.next()) change.getAddedSubList().forEach(page -> watch(page.generate()));
        });
    }

    private void watch(GenerateViewModel generate) {
        generate.batches().report().subscribe(now -> update());
    }

    /// The current training, download or generation, or the result of the last one.
    public ReadOnlyStringProperty message() {
        return message.getReadOnlyProperty();
    }

    /// `CPU · 2 threads · 3.1 GB free`.
    public ReadOnlyStringProperty systemInfo() {
        return systemInfo.getReadOnlyProperty();
    }

    public void refreshSystemInfo() {
        SystemInfo info = services.environment().systemInfo();
        services.jobs()
                .start(text("window.reading-system-information"),
                        cancellation -> text("window.free", info.device(),
                                count("window.threads", info.threads()), DisplayFormat.bytes(info.freeMemory())),
                        systemInfo::set, ignored -> {});
    }

    private void update() {
        RunSpec run = window.queue().current().get();
        message.set(run == null ? idleText() : trainingText(run, window.queue().progress().get()));
    }

    private String trainingText(RunSpec run, RunProgress progress) {
        String timeLeft = progress.timeLeft();
        return text("window.training", window.subjects().titleOf(run),
                progress.steps() == 0 ? text("window.training.starting")
                        : text("window.training.step", progress.step(), progress.steps()),
                progress.phase() == RunProgress.RunPhase.PAUSED ? text("window.training.paused")
                        : timeLeft.isEmpty() ? "" : " · " + timeLeft);
    }

    /// The queue of images is shown beside the status.
    private String idleText() {
        boolean isIdle = window.images().isIdle();
        String report = isIdle ? window.shownGenerate().map(page -> page.batches().report().get()).orElse("") : "";
        if (!report.isEmpty()) return report;
        GetModelViewModel.DownloadStatus download = window.downloads().status().get();
        if (download.isBusy()) return download.title() + " · " + download.text();
        return isIdle ? text("window.ready") : "";
    }
}
