package atomstudio.app.generate;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.subjects.Subject;
import atomstudio.app.tune.RunSummary;
import atomstudio.diffusion.sample.Guidance;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import javafx.beans.property.ReadOnlyDoubleProperty;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// A prompt, settings, and rows of pictures for the same seeds: Base first, then runs.
public final class GenerateViewModel {
    private static final Prompt EMPTY = new Prompt("", Prompt.Mention.NONE, "");
    /// What the built-in model draws well, so that the first press of Generate shows something.
    private static final Prompt EXAMPLE = new Prompt("", Prompt.Mention.NONE, "a 3d penguin in the snow");

    private final GalleryWork work;
    private final MeasuresViewModel measures;
    private final SourceViewModel source;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectProperty<@Nullable Subject> subject;
    private final ReadOnlyObjectWrapper<Prompt> prompt;
    private final ReadOnlyObjectWrapper<PictureSettings> settings = new ReadOnlyObjectWrapper<>(PictureSettings.initial(512, 7.5));
    private final GalleryRow base = new GalleryRow(Optional.empty());
    private final ObservableList<GalleryRow> rows = FXCollections.observableArrayList(base);
    private final ObservableList<GalleryRow> rowsView = FXCollections.unmodifiableObservableList(rows);

    /// What makes rows, what measures them, and what files are chosen with.
    public record Means(RowMaker maker, RowJudge judge, FileChoosers choosers) {}

    /// @param subject holds null where pictures are made without a subject
    public GenerateViewModel(Jobs jobs, Means means, InstantSource clock, ReadOnlyObjectProperty<@Nullable ModelSummary> model, ReadOnlyObjectProperty<@Nullable Subject> subject) {
        this.work = new GalleryWork(jobs, means.maker, clock);
        this.measures = new MeasuresViewModel(jobs, means.judge);
        this.source = new SourceViewModel(jobs, means.choosers, this);
        this.model = model;
        this.subject = subject;
        this.prompt = new ReadOnlyObjectWrapper<>(subject.get() == null ? EMPTY : new Prompt("a", Prompt.Mention.SUBJECT, "in the snow"));
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
        return work.busy();
    }

    /// How much of what was asked for is done, 0..1.
    public ReadOnlyDoubleProperty fraction() {
        return work.fraction();
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
        return work.problem();
    }

    /// `12 pictures in 0:31`; of the last time.
    public ReadOnlyStringProperty report() {
        return work.report();
    }

    /// The pictures that are there would come out otherwise now.
    public void forget() {
        rows.forEach(GalleryRow::forget);
    }

    /// Says something in the report's place.
    public void tell(String line) {
        work.tell(line);
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
        if (wanted.equals(rows)) return;
        rows.setAll(wanted);
        compare();
    }

    private void adopt() {
        ModelSummary on = model.get();
        if (on == null) return;
        if (subject.get() == null && prompt.get().equals(EMPTY) && on.origin() == ModelSummary.Origin.EMBEDDED) write(EXAMPLE);
        if (prompt.get().equals(EXAMPLE) && on.origin() != ModelSummary.Origin.EMBEDDED) write(EMPTY);
        settings(settings.get().withSize(new PictureSettings.Size(on.pictureSize(), on.pictureSize())).withWay(settings.get().way().with(new Guidance(on.guidance(), settings.get().way().guidance().rescale()))));
    }

    private void compare() {
        for (GalleryRow row : rows) row.wear(settings.get().worn());
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
        work.cancel();
    }

    /// Makes the pictures that are not there yet.
    public void generate() {
        ModelSummary on = model.get();
        if (!busy().get().isEmpty()) return;
        if (on == null) {
            work.refuse("There is no model yet: open one on the page Models.");
            return;
        }
        List<GalleryWork.Task> tasks = rows.stream().map(row -> new GalleryWork.Task(row, order(row, on))).filter(task -> !task.row().has(task.order())).toList();
        if (tasks.isEmpty()) {
            work.tell("These pictures are here already. Change the prompt, a setting or the seeds for others.");
            return;
        }
        measures.forget();
        Subject of = subject.get();
        Runnable measure = of == null ? () -> {} : measuring(on.folder(), of);
        work.start(tasks, () -> {
            compare();
            measure.run();
        });
    }

    /// Measures the rows by the prompt as it is now, whatever is typed meanwhile.
    private Runnable measuring(Path folder, Subject of) {
        String plain = prompt.get().text(of.className());
        return () -> measures.measure(folder, of, plain, rows);
    }
}
