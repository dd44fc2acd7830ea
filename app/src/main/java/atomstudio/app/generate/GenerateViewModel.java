package atomstudio.app.generate;

import atomstudio.app.desktop.Choosers;
import atomstudio.app.desktop.Readable;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.app.jobs.Pace;
import atomstudio.app.jobs.Running;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.subjects.Subject;
import atomstudio.app.tune.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.sample.Guidance;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// A prompt, settings, and rows of pictures for the same seeds: Base first, then runs.
public final class GenerateViewModel {
    private final Jobs jobs;
    private final RowMaker maker;
    private final MeasuresViewModel measures;
    private final SourceViewModel source;
    private final InstantSource clock;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectProperty<@Nullable Subject> subject;
    private final ReadOnlyObjectWrapper<Prompt> prompt;
    private final ReadOnlyObjectWrapper<PictureSettings> settings = new ReadOnlyObjectWrapper<>(PictureSettings.initial(512, 7.5));
    private final GalleryRow base = new GalleryRow(Optional.empty());
    private final ObservableList<GalleryRow> rows = FXCollections.observableArrayList(base);
    private final ObservableList<GalleryRow> rowsView = FXCollections.unmodifiableObservableList(rows);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyDoubleWrapper fraction = new ReadOnlyDoubleWrapper();
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper report = new ReadOnlyStringWrapper("");
    private Pace pace;
    private @Nullable Running running;

    /// What makes rows, what measures them, and what files are chosen with.
    public record Means(RowMaker maker, RowJudge judge, Choosers choosers) {}

    /// @param subject holds null where pictures are made without a subject
    public GenerateViewModel(Jobs jobs, Means means, InstantSource clock, ReadOnlyObjectProperty<@Nullable ModelSummary> model, ReadOnlyObjectProperty<@Nullable Subject> subject) {
        this.jobs = jobs;
        this.maker = means.maker;
        this.measures = new MeasuresViewModel(jobs, means.judge);
        this.source = new SourceViewModel(jobs, means.choosers, this);
        this.clock = clock;
        this.pace = new Pace(clock);
        this.model = model;
        this.subject = subject;
        this.prompt = new ReadOnlyObjectWrapper<>(subject.get() == null ? new Prompt("", Prompt.Mention.NONE, "") : new Prompt("a", Prompt.Mention.SUBJECT, "in the snow"));
        model.subscribe(now -> adopt());
        subject.subscribe(now -> compare());
    }

    public ReadOnlyObjectProperty<@Nullable Subject> subject() {
        return subject;
    }

    public ReadOnlyObjectProperty<Prompt> prompt() {
        return prompt.getReadOnlyProperty();
    }

    public ReadOnlyObjectProperty<PictureSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    public ObservableList<GalleryRow> rows() {
        return rowsView;
    }

    /// `LoRA rank 4 · step 12 of 25 · 0:08 left`; empty when nothing is being made.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    /// How much of what was asked for is done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return fraction.getReadOnlyProperty();
    }

    /// What the rows measure.
    public MeasuresViewModel measures() {
        return measures;
    }

    /// What pictures start from, and what all of them wear.
    public SourceViewModel source() {
        return source;
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// `12 pictures in 0:31`; of the last time.
    public ReadOnlyStringProperty report() {
        return report.getReadOnlyProperty();
    }

    /// The pictures that are there would come out otherwise now.
    public void forget() {
        rows.forEach(GalleryRow::forget);
    }

    /// Says something in the report's place.
    public void tell(String line) {
        report.set(line);
    }

    public void write(Prompt changed) {
        prompt.set(changed);
        compare();
    }

    public void settings(PictureSettings changed) {
        settings.set(changed);
        compare();
    }

    /// Other seeds, as many as before.
    public void newSeeds(RandomGenerator random) {
        PictureSettings now = settings.get();
        settings(now.withSeeds(new PictureSettings.Seeds(random.nextLong(0, 1L << 31), now.seeds().count())));
    }

    /// Shows these runs below Base, in this order. Rows that were there keep their pictures.
    public void show(List<RunSummary> runs) {
        List<GalleryRow> wanted = new ArrayList<>(List.of(base));
        for (RunSummary run : runs) {
            wanted.add(rows.stream().filter(row -> row.run().isPresent() && row.run().get().folder().equals(run.folder())).findFirst()
                .orElseGet(() -> new GalleryRow(Optional.of(run))));
        }
        if (!wanted.equals(rows)) rows.setAll(wanted);
    }

    private void adopt() {
        ModelSummary on = model.get();
        if (on == null) return;
        settings(settings.get().withSize(new PictureSettings.Size(on.pictureSize(), on.pictureSize())).withWay(settings.get().way().with(new Guidance(on.guidance(), settings.get().way().guidance().rescale()))));
    }

    private void compare() {
        ModelSummary on = model.get();
        if (on == null) return;
        for (GalleryRow row : rows) row.compare(order(row, on));
    }

    private RowOrder order(GalleryRow row, ModelSummary on) {
        Subject of = subject.get();
        String phrase = of == null ? "" : row.run().map(run -> phrase(run.order().words().token(), run.order().words().className())).orElse(of.className());
        return new RowOrder(on.folder(), prompt.get().text(phrase), row.run().map(RunSummary::adapter), settings.get());
    }

    private static String phrase(String token, String className) {
        return (token + " " + className).strip();
    }

    public void cancel() {
        measures.forget();
        if (running != null) running.cancel();
    }

    /// Makes the pictures that are not there yet.
    public void generate() {
        ModelSummary on = model.get();
        if (!busy.get().isEmpty()) return;
        if (on == null) {
            problem.set("There is no model yet: open one on the page Models.");
            return;
        }
        problem.set("");
        report.set("");
        List<Task> tasks = new ArrayList<>();
        for (GalleryRow row : rows) {
            RowOrder wanted = order(row, on);
            if (!row.has(wanted)) tasks.add(new Task(row, wanted));
        }
        if (tasks.isEmpty()) {
            report.set("These pictures are here already. Change the prompt, a setting or the seeds for others.");
            return;
        }
        measures.forget();
        for (Task task : tasks) task.row.begin(task.order);
        Subject of = subject.get();
        Runnable measure = of == null ? () -> {} : measuring(on.folder(), of);
        busy.set("Opening the model…");
        fraction.set(0);
        pace = new Pace(clock);
        pace.at(0);
        Instant started = clock.instant();
        Consumer<Event> events = jobs.each(this::happened);
        running = jobs.start("Generating", cancellation -> make(tasks, events, cancellation), outcome -> {
            ended(outcome, tasks, started);
            measure.run();
        });
    }

    /// Measures the rows by the prompt as it is now, whatever is typed meanwhile.
    private Runnable measuring(Path folder, Subject of) {
        String plain = prompt.get().text(of.className());
        return () -> measures.measure(folder, of, plain, rows);
    }

    private record Task(GalleryRow row, RowOrder order) {}

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
        return seconds > 0 ? " · " + Readable.duration(seconds) + " left" : "";
    }

    private void ended(Outcome<Integer> outcome, List<Task> tasks, Instant started) {
        busy.set("");
        running = null;
        for (Task task : tasks) task.row.interrupted();
        switch (outcome) {
            case Outcome.Done<Integer>(Integer pictures) -> report.set(Readable.plural(pictures, "picture") + " in "
                + Readable.duration(Duration.between(started, clock.instant()).toMillis() / 1000.0) + " · same seeds and noise in every row");
            case Outcome.Failed<Integer>(String message) -> problem.set(message);
            case Outcome.Cancelled<Integer>() -> report.set("Cancelled. What was finished stays.");
        }
        compare();
    }
}
