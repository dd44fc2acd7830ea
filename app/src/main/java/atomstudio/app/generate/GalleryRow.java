package atomstudio.app.generate;

import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.property.ReadOnlyBooleanWrapper;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// One gallery row: the images of the base model or of a run's adapter, one column per seed.
public final class GalleryRow {
    /// @param image null until it is generated
    public record GalleryCell(long seed, RowGenerator.@Nullable GeneratedImage image) {}

    /// The predicted image of the column that is being generated.
    public record CellPreview(int column, RgbImage image) {}

    private final Optional<RunSummary> run;
    private final ObservableList<GalleryCell> cells = FXCollections.observableArrayList();
    private final ObservableList<GalleryCell> cellsView = FXCollections.unmodifiableObservableList(cells);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper warning = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper stale = new ReadOnlyBooleanWrapper();
    private final ReadOnlyStringWrapper metricsStatus = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<@Nullable ClipScores> metrics = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<@Nullable CellPreview> preview = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper adapterLine = new ReadOnlyStringWrapper("");
    private final Set<Integer> updated = new HashSet<>();
    /// What the shown images were generated from; null if incomplete.
    private RowGenerator.@Nullable RowRequest request;

    GalleryRow(Optional<RunSummary> run) {
        this.run = run;
    }

    /// Empty: the base model.
    public Optional<RunSummary> run() {
        return run;
    }

    public String title() {
        return run.map(RunSummary::title).orElse("Base model");
    }

    /// Parameters and size of the row's own adapter; empty for the base model.
    public List<String> costLines() {
        return run.map(RunSummary::costLines).orElse(List.of());
    }

    /// The adapters added to every row: `+ style (0.8)`; empty if none.
    public ReadOnlyStringProperty adapterLine() {
        return adapterLine.getReadOnlyProperty();
    }

    void showAdapters(List<SelectedAdapter> adapters) {
        String names = adapters.stream().map(SelectedAdapter::toString).collect(Collectors.joining(", "));
        adapterLine.set(adapters.isEmpty() ? "" : "+ " + names);
    }

    public ObservableList<GalleryCell> cells() {
        return cellsView;
    }

    /// `Step 12 of 25`, `Waiting`; empty when idle.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty warning() {
        return warning.getReadOnlyProperty();
    }

    /// Whether this column is already new while others of the row are still old.
    boolean isUpdated(int column) {
        return updated.contains(column);
    }

    /// Whether the prompt or the settings have changed since the images were generated.
    public ReadOnlyBooleanProperty stale() {
        return stale.getReadOnlyProperty();
    }

    /// Null when no image is being generated or no preview exists yet.
    public ReadOnlyObjectProperty<@Nullable CellPreview> preview() {
        return preview.getReadOnlyProperty();
    }

    /// Null until measured.
    public ReadOnlyObjectProperty<@Nullable ClipScores> metrics() {
        return metrics.getReadOnlyProperty();
    }

    /// `Measuring…`; empty when idle.
    public ReadOnlyStringProperty metricsStatus() {
        return metricsStatus.getReadOnlyProperty();
    }

    private boolean isComplete() { return cells.stream().allMatch(cell -> cell.image != null); }

    boolean needsMetrics() {
        return request != null && metrics.get() == null && !cells.isEmpty() && isComplete();
    }

    List<RgbImage> images() {
        return cells.stream()
                .map(GalleryCell::image)
                .filter(Objects::nonNull)
                .map(RowGenerator.GeneratedImage::image)
                .toList();
    }

    void setMetricsStatus(String text) {
        metricsStatus.set(text);
    }

    void setMetrics(ClipScores found) {
        metrics.set(found);
    }

    /// Whether the row already shows all images of a request.
    boolean hasImages(RowGenerator.RowRequest wanted) {
        return wanted.equals(request) && isComplete();
    }

    void updateStale(RowGenerator.RowRequest wanted) {
        stale.set(request != null && !wanted.equals(request));
    }

    /// Marks the images as outdated, so that they are generated again.
    void invalidate() {
        request = null;
        stale.set(!cells.isEmpty());
    }

    /// Prepares the cells for new images. Old images stay visible until replaced, as far as their column exists.
    void begin(List<Long> seeds) {
        preview.set(null);
        updated.clear();
        List<GalleryCell> newCells = IntStream.range(0, seeds.size())
                .mapToObj(i -> new GalleryCell(seeds.get(i), i < cells.size() ? cells.get(i).image() : null))
                .toList();
        cells.setAll(newCells);
        request = null;
        warning.set("");
        metrics.set(null);
        metricsStatus.set("");
        stale.set(true);
        busy.set("Waiting");
    }

    void showStep(int done, int total) {
        busy.set("Step " + done + " of " + total);
    }

    void showPreview(int column, RgbImage image) {
        preview.set(new CellPreview(column, image));
    }

    void setImage(int column, RowGenerator.GeneratedImage image) {
        preview.set(null);
        updated.add(column);
        cells.set(column, new GalleryCell(cells.get(column).seed(), image));
    }

    void addWarning(String message) {
        String before = warning.get();
        if (!before.contains(message)) warning.set(before.isEmpty() ? message : before + "\n" + message);
    }

    void complete(RowGenerator.RowRequest completed) {
        request = completed;
        updated.clear();
        stale.set(false);
        busy.set("");
    }

    void stop() {
        preview.set(null);
        busy.set("");
    }
}
