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

/// A row of pictures, one a seed: of the base model, or of a run's adapter.
public final class GalleryRow {
    /// A place in the row; `made` is null until its picture is there.
    public record GalleryCell(long seed, RowGenerator.@Nullable GeneratedImage image) {}

    /// What a picture looks like while it is made.
    public record CellPreview(int column, RgbImage image) {}

    private static final String BASE_MODEL = "nothing tuned";

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
    private RowGenerator.@Nullable RowRequest request;

    GalleryRow(Optional<RunSummary> run) {
        this.run = run;
        showAdapters(List.of());
    }

    /// Empty: the base model.
    public Optional<RunSummary> run() {
        return run;
    }

    public String title() {
        return run.map(RunSummary::title).orElse("Base");
    }

    /// What the row's own adapter costs; empty for the base model.
    public List<String> costLines() {
        return run.map(RunSummary::costLines).orElse(List.of());
    }

    /// `nothing tuned`, `wears style × 0.8`; empty for a run that wears nothing beside its own adapter.
    public ReadOnlyStringProperty adapterLine() {
        return adapterLine.getReadOnlyProperty();
    }

    void showAdapters(List<SelectedAdapter> adapters) {
        String names = adapters.stream().map(SelectedAdapter::toString).collect(Collectors.joining(", "));
        adapterLine.set(adapters.isEmpty() ? run.isPresent() ? "" : BASE_MODEL
                : (run.isPresent() ? "also wears " : "wears ") + names);
    }

    public ObservableList<GalleryCell> cells() {
        return cellsView;
    }

    /// `step 12 of 25`, `waiting`; empty when nothing is being made.
    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty warning() {
        return warning.getReadOnlyProperty();
    }

    /// Whether a picture was made just now, while others of its row are still those of before.
    boolean updated(int column) {
        return updated.contains(column);
    }

    /// Whether the pictures were made with a prompt or settings that have been changed since.
    public ReadOnlyBooleanProperty stale() {
        return stale.getReadOnlyProperty();
    }

    /// The picture that is being made; null where none is, or nothing is seen yet.
    public ReadOnlyObjectProperty<@Nullable CellPreview> preview() {
        return preview.getReadOnlyProperty();
    }

    /// What the pictures measure; null while that is not known.
    public ReadOnlyObjectProperty<@Nullable ClipScores> metrics() {
        return metrics.getReadOnlyProperty();
    }

    /// `measuring…`; empty when nothing is being measured.
    public ReadOnlyStringProperty metricsStatus() {
        return metricsStatus.getReadOnlyProperty();
    }

    /// Whether all pictures are there and were not measured yet.
    boolean needsMetrics() {
        return request != null && metrics.get() == null && !cells.isEmpty()
                && cells.stream().allMatch(cell -> cell.image != null);
    }

    List<RgbImage> images() {
        return cells.stream()
                .map(GalleryCell::image)
                .filter(Objects::nonNull)
                .map(RowGenerator.GeneratedImage::image)
                .toList();
    }

    void metricsStatus(String text) {
        metricsStatus.set(text);
    }

    void setMetrics(ClipScores found) {
        metrics.set(found);
    }

    /// Whether all pictures of `wanted` are there already.
    boolean hasImages(RowGenerator.RowRequest wanted) {
        return wanted.equals(request) && cells.stream().allMatch(cell -> cell.image != null);
    }

    void updateStale(RowGenerator.RowRequest wanted) {
        stale.set(request != null && !wanted.equals(request));
    }

    /// Its pictures were made in a way that is not the wished one any more.
    void invalidate() {
        request = null;
        stale.set(!cells.isEmpty());
    }

    /// Makes room; pictures that are there stay until others come, where there is still a column for them.
    void begin(RowGenerator.RowRequest wanted) {
        preview.set(null);
        updated.clear();
        List<Long> seeds = wanted.settings().seeds().list();
        List<GalleryCell> newCells = IntStream.range(0, seeds.size())
                .mapToObj(i -> new GalleryCell(seeds.get(i), i < cells.size() ? cells.get(i).image() : null))
                .toList();
        cells.setAll(newCells);
        request = null;
        warning.set("");
        metrics.set(null);
        metricsStatus.set("");
        stale.set(true);
        busy.set("waiting");
    }

    void step(int done, int total) {
        busy.set("step " + done + " of " + total);
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

    void complete(RowGenerator.RowRequest wanted) {
        request = wanted;
        updated.clear();
        stale.set(false);
        busy.set("");
    }

    void stop() {
        preview.set(null);
        busy.set("");
    }
}
