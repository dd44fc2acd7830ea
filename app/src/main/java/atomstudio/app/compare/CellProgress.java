package atomstudio.app.compare;

import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.generate.ImageBatch;
import atomstudio.diffusion.image.RgbImage;
import java.util.LinkedHashSet;
import java.util.Set;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableMap;

/// Previews and warnings of the cells that are being generated.
public final class CellProgress {
    private static final int MAX_WARNINGS = 3;

    private final ObservableMap<String, RgbImage> previews = FXCollections.observableHashMap();
    private final ObservableMap<String, RgbImage> previewsView = FXCollections.unmodifiableObservableMap(previews);
    private final ReadOnlyStringWrapper warning = new ReadOnlyStringWrapper("");
    private final Set<String> warnings = new LinkedHashSet<>();

    /// The predicted images of the orders that are being generated.
    public ObservableMap<String, RgbImage> previews() {
        return previewsView;
    }

    /// Warnings of the last batch, by row.
    public ReadOnlyStringProperty warning() {
        return warning.getReadOnlyProperty();
    }

    void begin() {
        warnings.clear();
        warning.set("");
    }

    void clearPreviews() {
        previews.clear();
    }

    ImageBatch.BatchRow display(CellOrder order) {
        return new RowDisplay(order);
    }

    /// The progress of the cells of an adapter.
    private final class RowDisplay implements ImageBatch.BatchRow {
        private final ComparedAdapter adapter;
        private final String title;

        RowDisplay(CellOrder order) {
            adapter = order.adapter();
            title = new CompareRow(adapter, order.strength()).title();
        }

        @Override
        public String title() {
            return title;
        }

        @Override
        public String runName() {
            return adapter.runName();
        }

        /// The status of the batch names the row and its step.
        @Override
        public void showStep(int done, int total) {}

        @Override
        public void showPreview(String order, RgbImage image) {
            previews.put(order, image);
        }

        @Override
        public void clearPreview(String order) {
            previews.remove(order);
        }

        @Override
        public void addWarning(String message) {
            warnings.add(title + ": " + message);
            warning.set(String.join("\n", warnings.stream().limit(MAX_WARNINGS).toList()));
        }

        @Override
        public void stop() {}
    }
}
