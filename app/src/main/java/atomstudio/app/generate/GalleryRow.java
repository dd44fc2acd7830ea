package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.diffusion.image.RgbImage;
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

/// The images of the Generate page, one per seed. Its cells are a query: for every seed the image of the order wanted
/// now, or else the last image of that seed, which is stale.
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

    private final ObservableList<GalleryCell> cells = FXCollections.observableArrayList();
    private final ObservableList<GalleryCell> cellsView = FXCollections.unmodifiableObservableList(cells);
    private final ReadOnlyStringWrapper warning = new ReadOnlyStringWrapper("");
    private String title = text("generate.base-model");
    private final ObservableMap<String, RgbImage> previews = FXCollections.observableHashMap();
    private final ObservableMap<String, RgbImage> previewsView = FXCollections.unmodifiableObservableMap(previews);
    private final ReadOnlyObjectWrapper<@Nullable LiveImage> live = new ReadOnlyObjectWrapper<>();
    /// The image shown last, by seed.
    private final Map<Long, GalleryImage> lastImages = new HashMap<>();

    /// The adapters, or that there are none.
    @Override
    public String title() {
        return title;
    }

    @Override
    public String runName() {
        return "";
    }

    /// One per seed of the settings.
    public ObservableList<GalleryCell> cells() {
        return cellsView;
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

    /// All images, current or stale.
    public List<GalleryImage> shownImages() {
        return cells.stream().map(GalleryCell::image).filter(Objects::nonNull).toList();
    }

    /// Finds the images of a request.
    /// @param queued orders in the queue
    void update(RowGenerator.RowRequest wanted, GalleryViewModel gallery, Set<String> queued) {
        title = wanted.adapters().isEmpty() ? text("generate.base-model")
                : wanted.adapters().stream().map(SelectedAdapter::name).collect(Collectors.joining(" + "));
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
    }

    @Override
    public void showStep(int done, int total) {
        // The status of the batch names the step.
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
    }
}
