package atomstudio.app.generate;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.app.jobs.Pace;
import atomstudio.app.jobs.Running;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
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
final class GalleryWork {
    private final Jobs jobs;
    private final RowMaker maker;
    private final InstantSource clock;
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");
    private Pace pace;
    private @Nullable Running running;

    GalleryWork(Jobs jobs, RowMaker maker, InstantSource clock) {
        this.jobs = jobs;
        this.maker = maker;
        this.clock = clock;
        this.pace = new Pace(clock);
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
    void refuse(String why) {
        problem.set(why);
    }

    /// Says something in the report's place.
    void tell(String line) {
        problem.set("");
        report.set(line);
    }

    void cancel() {
        if (running != null) running.cancel();
    }

    /// A row and what its pictures are to be made from.
    record Task(GalleryRow row, RowOrder order) {}

    /// @param after runs when it is over, however it ended
    void start(List<Task> tasks, Runnable after) {
        problem.set("");
        report.set("");
        for (Task task : tasks) task.row.begin(task.order);
        busy.set("Opening the model…");
        fraction.set(0);
        pace = new Pace(clock);
        pace.at(0);
        Instant started = clock.instant();
        Consumer<Event> events = jobs.each(this::happened);
        running = jobs.start("Generating", cancellation -> make(tasks, events, cancellation), outcome -> {
            ended(outcome, tasks, started);
            after.run();
        });
    }

    private sealed interface Event {
        record Stepped(GalleryRow row, int done, int of, double all) implements Event {}

        record Emerged(GalleryRow row, int column, Picture look) implements Event {}

        record Drawn(GalleryRow row, int column, Made made) implements Event {}

        record Warned(GalleryRow row, String message) implements Event {}

        record Completed(Task task) implements Event {}
    }

    private Integer make(List<Task> tasks, Consumer<Event> events, Cancellation cancellation) throws Failure {
        int pictures = 0;
        for (int t = 0; t < tasks.size(); t++) {
            cancellation.check();
            Task task = tasks.get(t);
            int before = t;
            maker.make(task.order, new RowMaker.Listener() {
                @Override public void step(int done, int of) {
                    events.accept(new Event.Stepped(task.row, done, of, (before + (double) done / of) / tasks.size()));
                }

                @Override public void emerging(int column, Picture look) {
                    events.accept(new Event.Emerged(task.row, column, look));
                }

                @Override public void picture(int column, Made made) {
                    events.accept(new Event.Drawn(task.row, column, made));
                }

                @Override public void warning(String message) {
                    events.accept(new Event.Warned(task.row, message));
                }
            }, cancellation);
            pictures += task.order.settings().seeds().count();
            events.accept(new Event.Completed(task));
        }
        return pictures;
    }

    private void happened(Event event) {
        switch (event) {
            case Event.Stepped(GalleryRow row, int done, int of, double all) -> {
                fraction.set(all);
                pace.at(all);
                row.step(done, of);
                busy.set(row.title() + " · step " + done + " of " + of + left(all));
            }
            case Event.Emerged(GalleryRow row, int column, Picture look) -> row.emerge(column, look);
            case Event.Drawn(GalleryRow row, int column, Made made) -> row.put(column, made);
            case Event.Warned(GalleryRow row, String message) -> row.warn(message);
            case Event.Completed(Task task) -> task.row.complete(task.order);
        }
    }

    /// ` · 0:12 left`; empty while nobody knows.
    private String left(double done) {
        double seconds = pace.seconds() * (1 - done);
        return seconds > 0 ? " · " + DisplayFormat.duration(seconds) + " left" : "";
    }

    private void ended(Outcome<Integer> outcome, List<Task> tasks, Instant started) {
        busy.set("");
        running = null;
        for (Task task : tasks) task.row.interrupted();
        switch (outcome) {
            case Outcome.Done<Integer>(Integer pictures) -> report.set(DisplayFormat.plural(pictures, "picture") + " in "
                + DisplayFormat.duration(Duration.between(started, clock.instant()).toMillis() / 1000.0) + " · same seeds and noise in every row");
            case Outcome.Failed<Integer>(String message) -> problem.set(message);
            case Outcome.Cancelled<Integer>() -> report.set("Cancelled. What was finished stays.");
        }
    }
}
