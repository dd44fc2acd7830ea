package atomstudio.app.generate;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import javafx.collections.ObservableMap;
import org.jspecify.annotations.Nullable;

/// One gallery row: the images of the base model or of a run's adapter, one column per seed. Its cells are a query: for
/// every seed the image of the order wanted now, or else the last image of that seed, which is stale.
public final class GalleryRow implements ImageBatch.BatchRow {
    /// @param order of the image wanted now
    /// @param image null if the row has no image of the seed
    public record GalleryCell(long seed, String order, @Nullable GalleryImage image, CellState state) {
        public boolean isStale() { return image != null && state != CellState.CURRENT; }
    }

    public enum CellState {
        /// The image is of the order wanted now.
        CURRENT,
        /// The wanted image is in the queue, or being generated.
        QUEUED,
        /// The wanted image does not exist.
        MISSING
    }

    /// An image of settings that are being changed.
    public record LiveImage(long seed, RgbImage image) {}

    private final Optional<RunSummary> run;
    private final ObservableList<GalleryCell> cells = FXCollections.observableArrayList();
    private final ObservableList<GalleryCell> cellsView = FXCollections.unmodifiableObservableList(cells);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper warning = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper metricsStatus = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<@Nullable ClipScores> metrics = new ReadOnlyObjectWrapper<>();
    private final ObservableMap<String, RgbImage> previews = FXCollections.observableHashMap();
    private final ObservableMap<String, RgbImage> previewsView = FXCollections.unmodifiableObservableMap(previews);
    private final ReadOnlyObjectWrapper<@Nullable LiveImage> live = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper adapterLine = new ReadOnlyStringWrapper("");
    /// The image shown last, by seed.
    private final Map<Long, GalleryImage> lastImages = new HashMap<>();
    /// Scores by the images that they were measured on.
    private final Map<List<GalleryImage>, ClipScores> scores = new HashMap<>();

    GalleryRow(Optional<RunSummary> run) {
        this.run = run;
    }

    /// Empty: the base model.
    public Optional<RunSummary> run() {
        return run;
    }

    @Override
    public String title() {
        return run.map(RunSummary::title).orElse("Base model");
    }

    @Override
    public String runName() {
        return run.map(source -> source.folder().getFileName().toString()).orElse("");
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

    /// One per seed of the settings.
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

    /// The predicted images of the orders that are being generated, as far as there are any.
    public ObservableMap<String, RgbImage> previews() {
        return previewsView;
    }

    /// The image that is generated again and again while a strength is dragged; null if none is.
    public ReadOnlyObjectProperty<@Nullable LiveImage> live() {
        return live.getReadOnlyProperty();
    }

    void showLive(long seed, RgbImage image) {
        live.set(new LiveImage(seed, image));
    }

    void clearLive() {
        live.set(null);
    }

    /// Of the images shown; null until measured, or if one is not current.
    public ReadOnlyObjectProperty<@Nullable ClipScores> metrics() {
        return metrics.getReadOnlyProperty();
    }

    /// `Measuring…`; empty when idle.
    public ReadOnlyStringProperty metricsStatus() {
        return metricsStatus.getReadOnlyProperty();
    }

    boolean needsMetrics() {
        return metrics.get() == null && !cells.isEmpty() && isComplete();
    }

    private boolean isComplete() { return cells.stream().allMatch(cell -> cell.state == CellState.CURRENT); }

    /// The current images.
    List<GalleryImage> images() {
        List<GalleryImage> images = new ArrayList<>();
        for (GalleryCell cell : cells)
            if (cell.image != null && cell.state == CellState.CURRENT) images.add(cell.image);
        return images;
    }

    /// All images, current or stale.
    public List<GalleryImage> shownImages() {
        return cells.stream().map(GalleryCell::image).filter(Objects::nonNull).toList();
    }

    void setMetricsStatus(String text) {
        metricsStatus.set(text);
    }

    /// @param images that were measured
    void setMetrics(List<GalleryImage> images, ClipScores found) {
        scores.put(images, found);
        showMetrics();
    }

    private void showMetrics() {
        metrics.set(cells.isEmpty() || !isComplete() ? null : scores.get(images()));
    }

    /// Finds the images of a request.
    /// @param queued orders in the queue
    void update(RowGenerator.RowRequest wanted, GalleryViewModel gallery, Set<String> queued) {
        lastImages.values().removeIf(image -> !gallery.contains(image));
        List<GalleryCell> found = new ArrayList<>();
        for (long seed : wanted.settings().seeds().list()) {
            String order = new ImageOrder(wanted, seed).key();
            Optional<GalleryImage> current = gallery.find(order);
            current.ifPresent(image -> lastImages.put(seed, image));
            CellState state = current.isPresent() ? CellState.CURRENT
                    : queued.contains(order) ? CellState.QUEUED : CellState.MISSING;
            found.add(new GalleryCell(seed, order, lastImages.get(seed), state));
        }
        if (!found.equals(cells)) cells.setAll(found);
        showMetrics();
    }

    /// The seeds of a request whose images neither exist nor are in the queue.
    static List<Long> missingSeeds(RowGenerator.RowRequest wanted, GalleryViewModel gallery, Set<String> queued) {
        return wanted.settings().seeds().list().stream().filter(seed -> {
            String order = new ImageOrder(wanted, seed).key();
            return gallery.find(order).isEmpty() && !queued.contains(order);
        }).toList();
    }

    void begin() {
        warning.set("");
        busy.set("Waiting");
    }

    @Override
    public void showStep(int done, int total) {
        busy.set("Step " + done + " of " + total);
    }

    @Override
    public void showPreview(String order, RgbImage image) {
        previews.put(order, image);
    }

    @Override
    public void addWarning(String message) {
        String before = warning.get();
        if (!before.contains(message)) warning.set(before.isEmpty() ? message : before + "\n" + message);
    }

    @Override
    public void clearPreview(String order) {
        previews.remove(order);
    }

    @Override
    public void stop() {
        previews.clear();
        busy.set("");
    }
}
