package atomstudio.app.generate;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.StepRate;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// The work of making rows' pictures: one job at a time, what it is at, and what became of it.
final class GenerationRunner {
    private final Jobs jobs;
    private final RowGenerator generator;
    private final InstantSource clock;
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");
    private StepRate pace;
    private Jobs.@Nullable JobHandle running;

    GenerationRunner(Jobs jobs, RowGenerator generator, InstantSource clock) {
        this.jobs = jobs;
        this.generator = generator;
        this.clock = clock;
        this.pace = new StepRate(clock);
    }

    ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    ReadOnlyDoubleProperty fraction() {
        return fraction.getReadOnlyProperty();
    }

    ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    ReadOnlyStringProperty report() {
        return report.getReadOnlyProperty();
    }

    /// Why there is nothing to start.
    void fail(String reason) {
        problem.set(reason);
    }

    /// Says something in the report's place.
    void showMessage(String message) {
        problem.set("");
        report.set(message);
    }

    void cancel() {
        if (running != null) running.cancel();
    }

    /// A row and what its pictures are to be made from.
    record RowTask(GalleryRow row, RowGenerator.RowRequest request) {}

    /// @param onFinished runs when it is over, however it ended
    void start(List<RowTask> tasks, Runnable onFinished) {
        problem.set("");
        report.set("");
        for (RowTask task : tasks) task.row.begin(task.request);
        busy.set("Opening the model…");
        fraction.set(0);
        pace = new StepRate(clock);
        pace.update(0);
        Instant started = clock.instant();
        Consumer<RowEvent> events = jobs.deliverEach(this::onEvent);
        running = jobs.start("Generating", cancellation -> generateRows(tasks, events, cancellation), outcome -> {
            onEnded(outcome, tasks, started);
            onFinished.run();
        });
    }

    private sealed interface RowEvent {
        record StepDone(GalleryRow row, int done, int total, double fraction) implements RowEvent {}

        record PreviewReady(GalleryRow row, int column, RgbImage image) implements RowEvent {}

        record ImageReady(GalleryRow row, int column, RowGenerator.GeneratedImage image) implements RowEvent {}

        record WarningRaised(GalleryRow row, String message) implements RowEvent {}

        record RowCompleted(RowTask task) implements RowEvent {}
    }

    private Integer generateRows(List<RowTask> tasks, Consumer<RowEvent> events, Cancellation cancellation)
            throws Failure {
        int imageCount = 0;
        for (int index = 0; index < tasks.size(); index++) {
            cancellation.throwIfRequested();
            RowTask task = tasks.get(index);
            int rowsDone = index;
            generator.generate(task.request, new RowGenerator.RowListener() {
                @Override
                public void step(int done, int of) {
                    events.accept(
                            new RowEvent.StepDone(task.row, done, of, (rowsDone + (double) done / of) / tasks.size()));
                }

                @Override
                public void preview(int column, RgbImage look) {
                    events.accept(new RowEvent.PreviewReady(task.row, column, look));
                }

                @Override
                public void image(int column, RowGenerator.GeneratedImage made) {
                    events.accept(new RowEvent.ImageReady(task.row, column, made));
                }

                @Override
                public void warning(String message) {
                    events.accept(new RowEvent.WarningRaised(task.row, message));
                }
            }, cancellation);
            imageCount += task.request.settings().seeds().count();
            events.accept(new RowEvent.RowCompleted(task));
        }
        return imageCount;
    }

    private void onEvent(RowEvent event) {
        switch (event) {
            case RowEvent.StepDone(GalleryRow row, int done, int total, double all) -> {
                fraction.set(all);
                pace.update(all);
                row.step(done, total);
                busy.set(row.title() + " · step " + done + " of " + total + timeLeft(all));
            }
            case RowEvent.PreviewReady(GalleryRow row, int column, RgbImage image) -> row.showPreview(column, image);
            case RowEvent.ImageReady(GalleryRow row, int column, RowGenerator.GeneratedImage image) ->
                    row.setImage(column, image);
            case RowEvent.WarningRaised(GalleryRow row, String message) -> row.addWarning(message);
            case RowEvent.RowCompleted(RowTask task) -> task.row.complete(task.request);
        }
    }

    /// ` · 0:12 left`; empty while nobody knows.
    private String timeLeft(double doneFraction) {
        double seconds = pace.secondsPerStep() * (1 - doneFraction);
        return seconds > 0 ? " · " + DisplayFormat.duration(seconds) + " left" : "";
    }

    private void onEnded(JobOutcome<Integer> outcome, List<RowTask> tasks, Instant started) {
        busy.set("");
        running = null;
        for (RowTask task : tasks) task.row.stop();
        switch (outcome) {
            case JobOutcome.Succeeded<Integer>(Integer imageCount) ->
                    report.set(DisplayFormat.plural(imageCount, "picture") + " in "
                            + DisplayFormat.duration(Duration.between(started, clock.instant()).toMillis() / 1000.0)
                            + " · same seeds and noise in every row");
            case JobOutcome.Failed<Integer>(String message) -> problem.set(message);
            case JobOutcome.Cancelled<Integer>() -> report.set("Cancelled. What was finished stays.");
        }
    }
}
