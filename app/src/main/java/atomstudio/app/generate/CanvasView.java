package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.controls.SegmentedView;
import atomstudio.app.controls.Shortcut;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.gallery.ZoomView;
import atomstudio.diffusion.image.RgbImage;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.SimpleStringProperty;
import javafx.collections.ListChangeListener;
import javafx.collections.MapChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// The images of the Generate page: all at once, one of them large, or one wiped against the image to compare with.
final class CanvasView extends VBox {
    enum CanvasMode { GRID, LARGE, WIPE }

    private final GenerateViewModel model;
    private final GalleryRow row;
    private final ZoomView zoom = new ZoomView();
    private final ImageGridView grid;
    private final VBox large;
    private final SegmentedView<CanvasMode> modes;
    private final SimpleStringProperty note = new SimpleStringProperty("");
    private CanvasMode mode = CanvasMode.GRID;
    private int selected;
    private @Nullable GalleryImage shown;
    private @Nullable GalleryImage compared;

    CanvasView(GenerateViewModel model, LargeImageViewModel largeImage) {
        super(10);
        this.model = model;
        row = model.row();
        getStyleClass().add("generate-canvas");
        modes = new SegmentedView<>(text("generate.canvas"),
                List.of(new SegmentedView.Segment<>(CanvasMode.GRID, text("generate.canvas.grid"), ""),
                        new SegmentedView.Segment<>(CanvasMode.LARGE, text("generate.canvas.large"),
                                text("generate.canvas.large.tip")),
                        new SegmentedView.Segment<>(CanvasMode.WIPE, text("generate.canvas.wipe"),
                                text("generate.canvas.wipe.tip"))),
                this::show);
        modes.setId("canvas-mode");
        grid = new ImageGridView(model, row, largeImage);
        VBox.setVgrow(zoom, Priority.ALWAYS);
        zoom.setId("canvas-zoom");
        large = new VBox(8, zoom, new NoteView(NoteView.NoteKind.PLAIN, note));
        StackPane content = new StackPane(grid, large);
        VBox.setVgrow(content, Priority.ALWAYS);
        getChildren().addAll(toolbar(), progress(), content,
                new NoteView(NoteView.NoteKind.WARNING, row.warning()));
        row.cells().addListener((ListChangeListener<GalleryRow.GalleryCell>) change -> refreshLarge());
        row.previews().addListener((MapChangeListener<String, RgbImage>) change -> refreshLarge());
        row.live().subscribe(now -> refreshLarge());
        large.addEventHandler(KeyEvent.KEY_PRESSED, this::onKey);
        large.addEventHandler(KeyEvent.KEY_RELEASED, key -> {
            if (Shortcut.BLINK.matches(key)) zoom.blink(false);
        });
        show(CanvasMode.GRID);
    }

    private Node toolbar() {
        Label status = new MutedLabelView("");
        status.setId("canvas-status");
        status.textProperty().bind(model.batches().busy());
        status.setMinWidth(0);
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button cancel = new ActionButtonView(text("generate.cancel"), model::cancel).withId("cancel-generate");
        cancel.setTooltip(new Tooltip(Shortcut.CANCEL.tip(text("generate.cancel"))));
        cancel.visibleProperty().bind(model.batches().busy().map(busy -> !busy.isEmpty()));
        cancel.managedProperty().bind(cancel.visibleProperty());
        model.batches().busy().addListener((property, before, now) -> {
            if (cancel.isFocused() && now.isEmpty()) modes.button(mode).requestFocus();
        });
        modes.setMinWidth(180);
        HBox line = new HBox(10, modes, gap, status, cancel);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private Node progress() {
        ProgressBar bar = new ProgressBar();
        bar.getStyleClass().add("generate-progress");
        bar.setMaxWidth(Double.MAX_VALUE);
        bar.progressProperty().bind(model.batches().fraction());
        bar.visibleProperty().bind(model.batches().busy().map(busy -> !busy.isEmpty()));
        return bar;
    }

    private void show(CanvasMode chosen) {
        mode = chosen;
        modes.show(chosen);
        boolean isGrid = chosen == CanvasMode.GRID;
        grid.setVisible(isGrid);
        large.setVisible(!isGrid);
        zoom.setWiping(chosen == CanvasMode.WIPE);
        refreshLarge();
        if (!isGrid) zoom.requestFocus();
    }

    private void refreshLarge() {
        if (mode == CanvasMode.GRID || row.cells().isEmpty()) return;
        selected = Math.min(selected, row.cells().size() - 1);
        GalleryRow.GalleryCell cell = row.cells().get(selected);
        GalleryRow.LiveImage live = row.live().get();
        RgbImage preview = live != null && live.seed() == cell.seed() ? live.image()
                : row.previews().get(cell.order());
        if (preview != null) {
            shown = null;
            zoom.show(RoundedImageView.toFxImage(preview));
            return;
        }
        GalleryImage image = cell.image();
        note.set(image == null ? text("generate.canvas.none") : cell.isStale() ? text("generate.cell.stale") : "");
        if (image == null) {
            shown = null;
            zoom.show(null);
        } else if (!image.equals(shown)) {
            showImage(image);
        }
    }

    /// With the image without adapters, or else the one shown before.
    private void showImage(GalleryImage image) {
        GalleryImage before = shown;
        shown = image;
        model.readImage(image, pixels -> {
            if (image.equals(shown)) zoom.show(RoundedImageView.toFxImage(pixels));
        });
        Optional<GalleryImage> other = model.gallery()
                .find(image.tags().baseOrder())
                .filter(base -> !base.equals(image))
                .or(() -> Optional.ofNullable(before));
        if (mode == CanvasMode.WIPE && other.isEmpty()) note.set(text("generate.canvas.nothing"));
        compared = other.orElse(null);
        if (other.isEmpty()) zoom.showCompared(null);
        other.ifPresent(found -> model.readImage(found, pixels -> {
            if (found.equals(compared)) zoom.showCompared(RoundedImageView.toFxImage(pixels));
        }));
    }

    private void onKey(KeyEvent key) {
        if (Shortcut.NEXT_IMAGE.matches(key)) select(selected + 1);
        else if (Shortcut.PREVIOUS_IMAGE.matches(key)) select(selected - 1);
        else if (Shortcut.BLINK.matches(key)) zoom.blink(true);
        else if (Shortcut.FIT.matches(key)) zoom.fit();
        else if (Shortcut.ACTUAL_SIZE.matches(key)) zoom.showActualSize();
        else if (Shortcut.WIPE.matches(key)) show(mode == CanvasMode.WIPE ? CanvasMode.LARGE : CanvasMode.WIPE);
        else return;
        key.consume();
    }

    private void select(int index) {
        if (index < 0 || index >= row.cells().size()) return;
        selected = index;
        refreshLarge();
    }
}
