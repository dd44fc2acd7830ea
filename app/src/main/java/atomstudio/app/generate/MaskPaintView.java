package atomstudio.app.generate;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.generate.PaintedMask.BrushMode;
import atomstudio.app.generate.PaintedMask.BrushTip;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Slider;
import javafx.scene.control.ToggleButton;
import javafx.scene.image.ImageView;
import javafx.scene.image.PixelWriter;
import javafx.scene.image.WritableImage;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.input.MouseButton;
import javafx.scene.input.MouseEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// An overlay to paint a mask: dragging with the left button paints, with the right button or "Erase" erases.
public final class MaskPaintView extends OverlayView {
    private static final int LONGER_SIDE = 512;
    private static final int OVERLAY_COLOUR = 0x99E5484D;

    private final SourceViewModel model;
    private final StackPane imagePane = new StackPane();
    private final Slider brushSize = new Slider(4, 80, 28);
    private final ToggleButton eraseToggle = new ToggleButton("Erase");
    private final Button doneButton = new ActionButtonView("Use mask", this::finish, "accent").withId("mask-done");
    private @Nullable PaintedMask paintedMask;
    private @Nullable WritableImage overlay;
    private double lastX;
    private double lastY;

    public MaskPaintView(SourceViewModel model) {
        this.model = model;
        setId("mask-paint");
        imagePane.setId("mask-canvas");
        Label title = new Label("Paint the area to change");
        title.getStyleClass().add("row-title");
        brushSize.setId("brush-size");
        brushSize.setAccessibleText("Brush size");
        brushSize.setPrefWidth(130);
        HBox tools = new HBox(8, new LabeledFieldView("Brush size", brushSize), eraseToggle,
                new ActionButtonView("Clear", this::clearMask), doneButton,
                new ActionButtonView("Cancel", model::cancelPainting));
        tools.setAlignment(Pos.CENTER);
        Label keyHints = new Label("Right-drag erases · Esc cancels");
        keyHints.getStyleClass().addAll("muted", "small-text");
        VBox card = new VBox(8, title, imagePane, tools, keyHints);
        card.setAlignment(Pos.CENTER);
        card.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        setCard(card, model::cancelPainting);
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.ESCAPE) model.cancelPainting();
        });
        imagePane.setOnMousePressed(press -> paintStroke(press, true));
        imagePane.setOnMouseDragged(drag -> paintStroke(drag, false));
        model.painting().subscribe(this::show);
    }

    private void finish() {
        if (paintedMask != null) model.finishPainting(paintedMask.toMask());
    }

    private void show(@Nullable SourceImage source) {
        if (source == null) {
            hideOverlay();
            imagePane.getChildren().clear();
            paintedMask = null;
            return;
        }
        PaintedMask newMask = PaintedMask.of(source.image(), source.mask(), LONGER_SIDE);
        paintedMask = newMask;
        WritableImage newOverlay = new WritableImage(newMask.width(), newMask.height());
        overlay = newOverlay;
        eraseToggle.setSelected(false);
        drawOverlay(newMask, newOverlay);
        imagePane.getChildren().setAll(new RoundedImageView(source.image(), LONGER_SIDE), new ImageView(newOverlay));
        imagePane.setMaxSize(newMask.width(), newMask.height());
        showOverlay(doneButton);
    }

    private void paintStroke(MouseEvent mouse, boolean isStart) {
        if (paintedMask == null || overlay == null) return;
        if (isStart) {
            lastX = mouse.getX();
            lastY = mouse.getY();
        }
        BrushMode mode = eraseToggle.isSelected() || mouse.getButton() == MouseButton.SECONDARY ? BrushMode.ERASE
                : BrushMode.PAINT;
        paintedMask.stroke(lastX, lastY, mouse.getX(), mouse.getY(), new BrushTip(brushSize.getValue() / 2, mode));
        lastX = mouse.getX();
        lastY = mouse.getY();
        drawOverlay(paintedMask, overlay);
    }

    private void clearMask() {
        if (paintedMask == null || overlay == null) return;
        paintedMask.clear();
        drawOverlay(paintedMask, overlay);
    }

    private static void drawOverlay(PaintedMask paintedMask, WritableImage overlay) {
        PixelWriter writer = overlay.getPixelWriter();
        for (int y = 0; y < paintedMask.height(); y++)
            for (int x = 0; x < paintedMask.width(); x++)
                writer.setArgb(x, y, paintedMask.isPainted(x, y) ? OVERLAY_COLOUR : 0);
    }
}
