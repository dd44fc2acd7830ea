package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CellOrder.CellContext;
import atomstudio.app.compare.CompareTable.ColumnChoice;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.CompareTable.XyGrid;
import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.generate.CurrentFileVersions;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.GenerateViewModel.GenerationServices;
import atomstudio.app.generate.ImageBatch;
import atomstudio.app.generate.ImageBatches;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.runs.RunSummary;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javafx.beans.property.DoubleProperty;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.property.SimpleDoubleProperty;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.collections.WeakListChangeListener;
import org.jspecify.annotations.Nullable;

/// A subject's comparison: the base model and adapters in rows, prompts and seeds in columns, or an X/Y grid. Its
/// images are found in the gallery by their orders; what is missing is generated in the queue of all pages.
public final class CompareViewModel {
    /// Sides of a cell, in pixels.
    public static final double MIN_SIDE = 128;
    public static final double MAX_SIDE = 512;

    private final Jobs jobs;
    private final GenerationServices services;
    private final ImageBatches batches;
    private final CellProgress progress = new CellProgress();
    private final GenerateViewModel panel;
    private final ReadOnlyObjectProperty<@Nullable ModelSummary> model;
    private final ReadOnlyObjectProperty<Subject> subject;
    private final CompareRows rows;
    private final CompareMetrics metrics;
    private final XyGridViewModel gridChoice;
    private final CompareExportViewModel export;
    private final ReadOnlyObjectWrapper<ColumnChoice> columns = new ReadOnlyObjectWrapper<>(
            ColumnChoice.PROMPTS_AND_SEEDS);
    private final ReadOnlyObjectWrapper<@Nullable XyGrid> grid = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<@Nullable CompareCells> cells = new ReadOnlyObjectWrapper<>();
    private final DoubleProperty side = new SimpleDoubleProperty(MIN_SIDE);
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    /// Held here only: the gallery outlives the page of a deleted subject.
    private final ListChangeListener<GalleryImage> galleryListener = change -> update();
    private final CurrentFileVersions files;
    private final SavedComparison saved;
    private final CheckpointCopies copies;

    public record CompareServices(Jobs jobs, GenerationServices generation, InstantSource clock,
            DesktopActions desktop) {}

    /// @param panel the prompt and the settings of all cells
    public CompareViewModel(CompareServices common, GenerateViewModel panel,
            ReadOnlyObjectProperty<@Nullable ModelSummary> model, ReadOnlyObjectProperty<Subject> subject) {
        this.jobs = common.jobs;
        this.services = common.generation;
        this.panel = panel;
        this.model = model;
        this.subject = subject;
        rows = new CompareRows(jobs, services.choosers(), problem::set);
        saved = new SavedComparison(jobs, this, subject.get().folder());
        copies = new CheckpointCopies(jobs);
        metrics = new CompareMetrics(services, saved::save);
        gridChoice = new XyGridViewModel(jobs, this);
        export = new CompareExportViewModel(jobs, services.choosers(), common.desktop, this);
        files = new CurrentFileVersions(jobs, problem::set);
        batches = new ImageBatches(jobs, services, common.clock, this::update, this::onEnded);
        panel.prompt().property().addListener((property, before, now) -> update());
        panel.settings().addListener((property, before, now) -> update());
        subject.addListener((property, before, now) -> update());
        panel.setGeneration(this::generate, this::cancel);
        batches.report().addListener((property, before, now) -> panel.batches().showMessage(now));
        services.gallery().images().addListener(new WeakListChangeListener<>(galleryListener));
        rows.rows().addListener((ListChangeListener<CompareRow>) change -> {
            update();
            deleteUnusedCopies();
        });
        side.subscribe(now -> saved.save());
        columns.subscribe(now -> saved.save());
        panel.seedLocked().subscribe(now -> saved.save());
        update();
        saved.restore();
    }

    /// Shows the subject's runs, newest first.
    public void showRuns(List<RunSummary> runs) {
        ModelSummary now = model.get();
        rows.showRuns(runs, now == null ? null : now.path());
        update();
    }

    /// Deletes the copies of these runs' checkpoints, as soon as no row and no image in the queue needs them.
    public void deleteCopies(List<RunSummary> ended) {
        copies.addEnded(ended.stream().map(RunSummary::folder).toList());
        deleteUnusedCopies();
    }

    private void deleteUnusedCopies() {
        if (!batches.isIdle()) return;
        Stream<ComparedAdapter> used = Stream.concat(table().adapters().stream(),
                rows.rows().stream().map(CompareRow::adapter));
        copies.deleteUnused(used.flatMap(adapter -> adapter.file().stream()).collect(Collectors.toSet()));
    }

    public GenerateViewModel panel() {
        return panel;
    }

    public GalleryViewModel gallery() {
        return services.gallery();
    }

    public CompareMetrics metrics() {
        return metrics;
    }

    /// Chooses the rows.
    public CompareRows rowChoice() {
        return rows;
    }

    ReadOnlyObjectProperty<@Nullable ModelSummary> model() {
        return model;
    }

    public CompareExportViewModel export() {
        return export;
    }

    public ReadOnlyObjectProperty<Subject> subject() {
        return subject;
    }

    /// The base model first.
    public ObservableList<CompareRow> rows() {
        return rows.rows();
    }

    public ReadOnlyObjectProperty<ColumnChoice> columns() {
        return columns.getReadOnlyProperty();
    }

    public void setColumns(ColumnChoice choice) {
        columns.set(choice);
        update();
    }

    /// Null while adapters are compared by prompts and seeds.
    public ReadOnlyObjectProperty<@Nullable XyGrid> grid() {
        return grid.getReadOnlyProperty();
    }

    /// @param shown null: back to adapters × prompts and seeds
    public void showGrid(@Nullable XyGrid shown) {
        grid.set(shown);
        update();
        deleteUnusedCopies();
    }

    /// The choice of a grid.
    public XyGridViewModel gridChoice() {
        return gridChoice;
    }

    /// Null until a model is open and the dates of the files are read.
    public ReadOnlyObjectProperty<@Nullable CompareCells> cells() {
        return cells.getReadOnlyProperty();
    }

    /// The images of every row.
    public List<List<GalleryImage>> imageRows() {
        CompareCells now = cells.get();
        if (now == null) return List.of();
        return IntStream.range(0, now.rows().size()).mapToObj(now::images).toList();
    }

    /// Smallest side of a cell, in pixels: cells grow while all of them are in sight.
    public DoubleProperty side() {
        return side;
    }

    /// The images of the comparison in the queue.
    public ImageBatches batches() {
        return batches;
    }

    public CellProgress progress() {
        return progress;
    }

    /// Why nothing could be generated or added; empty if nothing went wrong.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Reads again which versions of the model and adapter files there are.
    public void checkFiles() {
        readFiles(() -> {});
    }

    private CompareTable table() {
        CellOrder start = new CellOrder(new ComparedAdapter.BaseModel(), 1, panel.prompt().get(), 0,
                panel.settings().get());
        XyGrid shown = grid.get();
        return shown == null ? CompareTable.of(start, rows.rows(), columns.get()) : CompareTable.of(start, shown);
    }

    private Set<Path> neededFiles(CompareTable table) {
        Set<Path> needed = new HashSet<>();
        ModelSummary summary = model.get();
        if (summary != null) needed.add(summary.path());
        for (SelectedAdapter adapter : panel.settings().get().adapters()) needed.add(adapter.file());
        for (ComparedAdapter adapter : table.adapters()) adapter.file().ifPresent(needed::add);
        return needed;
    }

    /// @param then called after the cells are found
    private void readFiles(Runnable then) {
        files.read(neededFiles(table()), () -> {
            update();
            then.run();
        });
    }

    /// Finds the images of the orders wanted now.
    public void update() {
        ModelSummary summary = model.get();
        if (summary == null) return;
        CompareTable table = table();
        if (!files.contains(neededFiles(table))) {
            if (!files.isReading()) checkFiles();
            return;
        }
        CellContext context = new CellContext(summary.path(),
                RowGenerator.Rendering.of(services.preferences().get()), subject.get(), files.get());
        CompareCells found = CompareCells.find(table, context, services.gallery(), batches.queued());
        cells.set(found);
        metrics.show(found, table.isGrid() ? List.of() : List.copyOf(rows.rows()));
        saved.save();
    }

    /// Cancels the images of this comparison that wait or are being generated.
    public void cancel() {
        metrics.cancel();
        batches.cancel();
    }

    /// Submits the images that neither exist nor are in the queue.
    public void generate() {
        problem.set(model.get() == null ? text("compare.no-model") : "");
        if (model.get() != null) readFiles(this::generateMissing);
    }

    private void generateMissing() {
        CompareCells found = cells.get();
        if (found == null) return;
        List<ImageBatch.RowOrder> orders = found.missingOrders(progress::display);
        if (orders.isEmpty()) {
            metrics.measure();
            return;
        }
        metrics.cancel();
        progress.begin();
        batches.submit(orders, subject.get().name());
    }

    private void onEnded() {
        progress.clearPreviews();
        update();
        deleteUnusedCopies();
        if (batches.isIdle()) metrics.measure();
    }
}
