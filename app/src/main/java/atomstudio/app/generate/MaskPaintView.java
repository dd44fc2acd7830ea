package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.generate.PaintedMask.BrushMode;
import atomstudio.app.generate.PaintedMask.BrushTip;
import java.nio.IntBuffer;
import java.util.List;
import java.util.function.Consumer;
import javafx.geometry.Pos;
import javafx.geometry.Rectangle2D;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Slider;
import javafx.scene.control.ToggleButton;
import javafx.scene.image.ImageView;
import javafx.scene.image.PixelBuffer;
import javafx.scene.image.PixelFormat;
import javafx.scene.image.WritableImage;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyCombination;
import javafx.scene.input.KeyEvent;
import javafx.scene.input.MouseButton;
import javafx.scene.input.MouseEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// An overlay to paint a mask: dragging with the left button paints, with the right button or "Erase" erases. A click
/// beside it does nothing. Strokes of a cancelled painting come back with Redo.
public final class MaskPaintView extends OverlayView {
    private static final int LONGER_SIDE = 512;
    private static final KeyCombination UNDO = KeyCombination.valueOf("Shortcut+Z");
    private static final List<KeyCombination> REDO = List.of(KeyCombination.valueOf("Shortcut+Shift+Z"),
            KeyCombination.valueOf("Shortcut+Y"));

    private final SourceViewModel model;
    private final StackPane imagePane = new StackPane();
    private final Slider brushSize = new Slider(4, 80, 28);
    private final ToggleButton eraseToggle = new ToggleButton(text("generate.erase"));
    private final Button doneButton = new ActionButtonView(text("generate.use-mask"), this::finish, "accent")
            .withId("mask-done");
    private @Nullable Canvas canvas;
    private double lastX;
    private double lastY;

    public MaskPaintView(SourceViewModel model) {
        this.model = model;
        setId("mask-paint");
        imagePane.setId("mask-canvas");
        Label title = new Label(text("generate.paint-the-area-to-change"));
        title.getStyleClass().add("row-title");
        brushSize.setId("brush-size");
        brushSize.setAccessibleText(text("generate.brush-size"));
        brushSize.setPrefWidth(130);
        HBox tools = new HBox(8, new LabeledFieldView(text("generate.brush-size"), brushSize), eraseToggle,
                new ActionButtonView(text("generate.undo"), () -> change(PaintedMask::undo)).withId("mask-undo"),
                new ActionButtonView(text("generate.redo"), () -> change(PaintedMask::redo)).withId("mask-redo"),
                new ActionButtonView(text("generate.clear"), () -> change(PaintedMask::clear)), doneButton,
                new ActionButtonView(text("generate.cancel"), model::cancelPainting));
        tools.setAlignment(Pos.CENTER);
        Label keyHints = new Label(text("generate.right-drag-erases-ctrl-z-undoes"));
        keyHints.getStyleClass().addAll("muted", "small-text");
        VBox card = new VBox(8, title, imagePane, tools, keyHints);
        card.setAlignment(Pos.CENTER);
        card.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        setCard(card, () -> {});
        addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
        imagePane.setOnMousePressed(press -> paintStroke(press, true));
        imagePane.setOnMouseDragged(drag -> paintStroke(drag, false));
        model.painting().subscribe(this::show);
    }

    private void onKey(KeyEvent key) {
        if (key.getCode() == KeyCode.ESCAPE) model.cancelPainting();
        else if (UNDO.match(key)) change(PaintedMask::undo);
        else if (REDO.stream().anyMatch(keys -> keys.match(key))) change(PaintedMask::redo);
        else return;
        key.consume();
    }

    private void finish() {
        Canvas finished = canvas;
        canvas = null;
        if (finished != null) model.finishPainting(finished.mask.toMask());
    }

    private void show(@Nullable SourceImage source) {
        if (source == null) {
            hideOverlay();
            imagePane.getChildren().clear();
            if (canvas != null) canvas.mask.undoAll();
            return;
        }
        Canvas shown = canvas;
        if (shown == null || !shown.source.equals(source)) shown = new Canvas(source);
        canvas = shown;
        eraseToggle.setSelected(false);
        shown.draw(shown.mask.all());
        imagePane.getChildren()
                .setAll(new RoundedImageView(source.image(), LONGER_SIDE), new ImageView(shown.overlay));
        imagePane.setMaxSize(shown.mask.width(), shown.mask.height());
        showOverlay(doneButton);
    }

    private void paintStroke(MouseEvent mouse, boolean isStart) {
        if (canvas == null) return;
        if (isStart) {
            canvas.mask.beginStroke();
            lastX = mouse.getX();
            lastY = mouse.getY();
        }
        BrushMode mode = eraseToggle.isSelected() || mouse.getButton() == MouseButton.SECONDARY ? BrushMode.ERASE
                : BrushMode.PAINT;
        canvas.draw(canvas.mask.stroke(lastX, lastY, mouse.getX(), mouse.getY(),
                new BrushTip(brushSize.getValue() / 2, mode)));
        lastX = mouse.getX();
        lastY = mouse.getY();
    }

    private void change(Consumer<PaintedMask> change) {
        if (canvas == null) return;
        change.accept(canvas.mask);
        canvas.draw(canvas.mask.all());
    }

    /// The mask and the overlay that shows it. Only changed pixels are drawn.
    private static final class Canvas {
        /// Red, 60 % opaque, premultiplied.
        private static final int COLOUR = 0x99892B2E;

        private final SourceImage source;
        private final PaintedMask mask;
        private final int[] pixels;
        private final PixelBuffer<IntBuffer> buffer;
        private final WritableImage overlay;

        Canvas(SourceImage source) {
            this.source = source;
            mask = PaintedMask.of(source.image(), source.mask(), LONGER_SIDE);
            pixels = new int[mask.width() * mask.height()];
            buffer = new PixelBuffer<>(mask.width(), mask.height(), IntBuffer.wrap(pixels),
                    PixelFormat.getIntArgbPreInstance());
            overlay = new WritableImage(buffer);
        }

        void draw(PaintedMask.Area area) {
            for (int y = area.y(); y < area.y() + area.height(); y++)
                for (int x = area.x(); x < area.x() + area.width(); x++)
                    pixels[y * mask.width() + x] = mask.isPainted(x, y) ? COLOUR : 0;
            buffer.updateBuffer(
                    changed -> new Rectangle2D(area.x(), area.y(), area.width(), area.height()));
        }
    }
}
