package atomstudio.app.compare;

import atomstudio.app.compare.CellOrder.CellContext;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.generate.ImageBatch;
import atomstudio.app.generate.RowGenerator.PromptImages;
import atomstudio.app.generate.RowGenerator.RowRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The cells of a table: for each order its image, if there is one. Nothing is stored: the images are found by their
/// orders.
public record CompareCells(CompareTable table, CellContext context, List<List<CompareCell>> rows) {
    public enum CellState {
        PRESENT,
        /// In the queue, or being generated.
        QUEUED, MISSING
    }

    /// @param key identifies the order
    /// @param image null unless present
    public record CompareCell(CellOrder order, String key, @Nullable GalleryImage image, CellState state) {}

    /// @param queued the keys in the queue
    static CompareCells find(CompareTable table, CellContext context, GalleryViewModel gallery, Set<String> queued) {
        List<List<CompareCell>> rows = new ArrayList<>();
        for (int row = 0; row < table.rows().size(); row++) {
            List<CompareCell> cells = new ArrayList<>();
            for (int column = 0; column < table.columns().size(); column++) {
                CellOrder order = table.cell(row, column);
                String key = order.request(context).order(order.seed());
                @Nullable GalleryImage image = gallery.find(key).orElse(null);
                CellState state = image != null ? CellState.PRESENT
                        : queued.contains(key) ? CellState.QUEUED : CellState.MISSING;
                cells.add(new CompareCell(order, key, image, state));
            }
            rows.add(List.copyOf(cells));
        }
        return new CompareCells(table, context, List.copyOf(rows));
    }

    /// Images that neither exist nor are in the queue.
    public int missing() {
        return count(CellState.MISSING);
    }

    /// Equal orders count once.
    int count(CellState state) {
        return (int) rows.stream()
                .flatMap(List::stream)
                .filter(cell -> cell.state == state)
                .map(CompareCell::key)
                .distinct()
                .count();
    }

    public boolean isComplete() {
        return !rows.isEmpty() && rows.stream().flatMap(List::stream).allMatch(cell -> cell.image != null);
    }

    boolean isComplete(int row) {
        return rows.get(row).stream().allMatch(cell -> cell.image != null);
    }

    /// The images of a row, in its order.
    public List<GalleryImage> images(int row) {
        return rows.get(row).stream().map(CompareCell::image).filter(Objects::nonNull).toList();
    }

    List<String> keys(int row) {
        return rows.get(row).stream().map(CompareCell::key).toList();
    }

    /// The images of a complete row by prompt, with the class word in the place of the subject.
    List<PromptImages> imagesByPrompt(int row) {
        Map<String, List<GalleryImage>> byPrompt = new LinkedHashMap<>();
        for (CompareCell cell : rows.get(row))
            if (cell.image != null)
                byPrompt.computeIfAbsent(cell.order.prompt().text(context.subject().className()),
                        prompt -> new ArrayList<>()).add(cell.image);
        return byPrompt.entrySet().stream().map(entry -> new PromptImages(entry.getKey(), entry.getValue())).toList();
    }

    /// What is to be generated: the missing images, those of equal requests together.
    /// @param display shows the progress of a cell
    List<ImageBatch.RowOrder> missingOrders(Function<CellOrder, ImageBatch.BatchRow> display) {
        List<ImageBatch.RowOrder> orders = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (List<CompareCell> row : rows) {
            Map<String, List<CompareCell>> groups = new LinkedHashMap<>();
            for (CompareCell cell : row)
                if (cell.state == CellState.MISSING && seen.add(cell.key))
                    groups.computeIfAbsent(cell.order.request(context).order(0), request -> new ArrayList<>())
                            .add(cell);
            for (List<CompareCell> group : groups.values()) {
                CellOrder first = group.getFirst().order;
                RowRequest base = first.ofBaseModel().request(context);
                orders.add(new ImageBatch.RowOrder(display.apply(first), first.request(context), base,
                        group.stream().map(cell -> cell.order.seed()).toList()));
            }
        }
        return orders;
    }
}
