package atomstudio.app.generate;

import atomstudio.app.generate.PaintedMask.Brush;
import atomstudio.app.generate.PaintedMask.Tip;
import atomstudio.app.generate.PictureSettings.Given;
import atomstudio.app.parts.FieldView;
import atomstudio.app.parts.OverlayView;
import atomstudio.app.parts.PictureView;
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

/// Paints a mask over a picture: the left button paints, the right one (or "erase") takes away. Escape leaves it as it was.
public final class MaskPaintView extends OverlayView {
    private static final int LONGER = 512;
    private static final int VEIL = 0x99E5484D;

    private final SourceViewModel model;
    private final StackPane place = new StackPane();
    private final Slider size = new Slider(4, 80, 28);
    private final ToggleButton erase = new ToggleButton("Erase");
    private final Button done = new Button("Use this mask");
    private @Nullable PaintedMask sheet;
    private @Nullable WritableImage veil;
    private double lastX;
    private double lastY;

    public MaskPaintView(SourceViewModel model) {
        this.model = model;
        setId("mask-paint");
        place.setId("mask-place");
        Label title = new Label("Paint what may change");
        title.getStyleClass().add("row-title");
        size.setId("brush-size");
        size.setAccessibleText("Size of the brush");
        size.setPrefWidth(130);
        done.setId("mask-done");
        done.getStyleClass().add("accent");
        done.setOnAction(pressed -> {
            if (sheet != null) model.painted(sheet.mask());
        });
        HBox tools = new HBox(8, new FieldView("brush", size), erase, button("Clear", this::wipe), done, button("Cancel", model::stopPainting));
        tools.setAlignment(Pos.CENTER);
        Label keys = new Label("Right button erases   Esc leaves the mask as it was");
        keys.getStyleClass().addAll("muted", "small-text");
        VBox card = new VBox(8, title, place, tools, keys);
        card.setAlignment(Pos.CENTER);
        card.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        cover(card, model::stopPainting);
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.ESCAPE) model.stopPainting();
        });
        place.setOnMousePressed(press -> stroke(press, true));
        place.setOnMouseDragged(drag -> stroke(drag, false));
        model.painting().subscribe(this::show);
    }

    private static Button button(String text, Runnable action) {
        Button button = new Button(text);
        button.setOnAction(pressed -> action.run());
        return button;
    }

    private void show(@Nullable Given given) {
        if (given == null) {
            disappear();
            place.getChildren().clear();
            sheet = null;
            return;
        }
        PaintedMask fresh = PaintedMask.of(given.picture(), given.mask(), LONGER);
        sheet = fresh;
        WritableImage over = new WritableImage(fresh.width(), fresh.height());
        veil = over;
        erase.setSelected(false);
        draw(fresh, over);
        place.getChildren().setAll(new PictureView(given.picture(), LONGER), new ImageView(over));
        place.setMaxSize(fresh.width(), fresh.height());
        appear(done);
    }

    private void stroke(MouseEvent mouse, boolean begins) {
        if (sheet == null || veil == null) return;
        if (begins) {
            lastX = mouse.getX();
            lastY = mouse.getY();
        }
        Brush brush = erase.isSelected() || mouse.getButton() == MouseButton.SECONDARY ? Brush.ERASE : Brush.PAINT;
        sheet.stroke(lastX, lastY, mouse.getX(), mouse.getY(), new Tip(size.getValue() / 2, brush));
        lastX = mouse.getX();
        lastY = mouse.getY();
        draw(sheet, veil);
    }

    private void wipe() {
        if (sheet == null || veil == null) return;
        sheet.clear();
        draw(sheet, veil);
    }

    private static void draw(PaintedMask sheet, WritableImage veil) {
        PixelWriter writer = veil.getPixelWriter();
        for (int y = 0; y < sheet.height(); y++) for (int x = 0; x < sheet.width(); x++) writer.setArgb(x, y, sheet.at(x, y) ? VEIL : 0);
    }
}
