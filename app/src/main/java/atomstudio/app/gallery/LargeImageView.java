package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.diffusion.image.RgbImage;
import javafx.beans.binding.Bindings;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// An image as an overlay over the whole window: zoom, comparison with the base model's image, and actions.
public final class LargeImageView extends OverlayView {
    private static final double MARGIN = 24;

    private final LargeImageViewModel model;
    private final ZoomView zoom = new ZoomView();
    private final Label title = new Label();
    private final Label comparedTitle = new Label();
    private final Label settings = new Label();
    private final ToggleButton wipe = new ToggleButton(text("gallery.wipe"));
    private final Button star = new Button();
    private @Nullable RgbImage shownPixels;
    private @Nullable RgbImage comparedPixels;

    public LargeImageView(LargeImageViewModel model) {
        this.model = model;
        setId("large-image");
        zoom.setId("large-image-zoom");
        title.setId("large-image-title");
        title.getStyleClass().add("row-title");
        comparedTitle.getStyleClass().addAll("muted", "small-text");
        settings.getStyleClass().addAll("muted", "small-text");
        settings.setWrapText(true);
        settings.setMaxHeight(48);
        settings.setMinHeight(Region.USE_PREF_SIZE);
        star.setId("star-image");
        star.getStyleClass().addAll("small", "flat");
        star.setOnAction(pressed -> model.toggleStar());
        star.setTooltip(new Tooltip(text("gallery.star-s")));
        Label keyHints = new Label(text("gallery.images-same-seed-of-other-rows"));
        keyHints.getStyleClass().addAll("muted", "small-text");
        VBox.setVgrow(zoom, Priority.ALWAYS);
        NoteView note = new NoteView(NoteView.NoteKind.PLAIN, model.message());
        VBox card = new VBox(8, titleLine(), zoom, settings, actions(), note, keyHints);
        card.maxWidthProperty().bind(Bindings.max(320, widthProperty().subtract(2 * MARGIN)));
        card.maxHeightProperty().bind(Bindings.max(240, heightProperty().subtract(2 * MARGIN)));
        setCard(card, model::close);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
        addEventFilter(KeyEvent.KEY_RELEASED, key -> {
            if (key.getCode() == KeyCode.SPACE) blink(false);
        });
        model.shown().subscribe(this::show);
        model.compared().subscribe(this::showCompared);
        model.gallery().starred().subscribe(now -> showStar());
    }

    private HBox titleLine() {
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        wipe.setId("wipe");
        wipe.getStyleClass().add("small");
        wipe.setTooltip(new Tooltip(text("gallery.compares-with-the-base-models-image")));
        wipe.selectedProperty().subscribe(on -> zoom.setWiping(on));
        HBox line = new HBox(8, star, title, comparedTitle, gap,
                small(text("gallery.fit"), text("gallery.the-whole-image-f"), zoom::fit),
                small("1:1", text("gallery.one-pixel-of-the-image-is"), zoom::showActualSize), wipe,
                small(text("gallery.close"), "Escape", model::close));
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private static Button small(String text, String tooltip, Runnable action) {
        Button button = new ActionButtonView(text, action, "small");
        button.setTooltip(new Tooltip(tooltip));
        return button;
    }

    private FlowPane actions() {
        Button save = new ActionButtonView(text("gallery.save-image"), model::save).withId("save-image");
        Button delete = new ActionButtonView(text("gallery.menu.delete"), model::delete).withId("delete-image");
        delete.setTooltip(new Tooltip(text("gallery.moves-the-image-to-the-trash")));
        return new FlowPane(8, 8,
                action(text("gallery.menu.variations"), text("gallery.similar-images-this-one-as-source"),
                        model::generateVariations).withId("variations"),
                action(text("gallery.menu.source"), text("gallery.image-to-image-with-this-image"), model::useAsSource),
                action(text("gallery.menu.settings"), text("gallery.restores-the-prompt-settings-seed-and"),
                        model::restoreSettings).withId("send-settings"),
                action(text("gallery.copy-image"), text("gallery.ctrl-c"), model::copyImage),
                new ActionButtonView(text("gallery.copy-settings"),
                        model::copySettings),
                save, new ActionButtonView(text("gallery.menu.folder"), model::showInFolder), delete);
    }

    private static ActionButtonView action(String text, String tooltip, Runnable run) {
        ActionButtonView button = new ActionButtonView(text, run);
        button.setTooltip(new Tooltip(tooltip));
        return button;
    }

    private void show(LargeImageViewModel.@Nullable ShownImage shown) {
        if (shown == null) {
            hideOverlay();
            zoom.show(null);
            shownPixels = null;
            return;
        }
        showTitle(shown);
        settings.setText(shown.image().infotext().format().replace("\n", "  ·  "));
        if (shown.pixels() != null && shown.pixels() != shownPixels) zoom.show(toImage(shown.pixels()));
        shownPixels = shown.pixels();
        showStar();
        showOverlay(zoom);
    }

    private void showCompared(LargeImageViewModel.@Nullable ShownImage compared) {
        comparedTitle.setText(compared == null ? "" : text("gallery.space", compared.image().title()));
        wipe.setDisable(compared == null);
        RgbImage pixels = compared == null ? null : compared.pixels();
        if (pixels != comparedPixels) zoom.showCompared(pixels == null ? null : toImage(pixels));
        comparedPixels = pixels;
    }

    /// Shows the image to compare with, and its title.
    private void blink(boolean on) {
        zoom.blink(on);
        LargeImageViewModel.ShownImage compared = model.compared().get();
        showTitle(on && compared != null ? compared : model.shown().get());
    }

    private void showTitle(LargeImageViewModel.@Nullable ShownImage titled) {
        if (titled != null) title.setText(titled.image().title());
    }

    private static Image toImage(RgbImage pixels) {
        return RoundedImageView.toFxImage(pixels);
    }

    private void showStar() {
        LargeImageViewModel.ShownImage shown = model.shown().get();
        boolean starred = shown != null && model.gallery().isStarred(shown.image());
        star.setText(starred ? "★" : "☆");
        star.setAccessibleText(starred ? text("gallery.remove-the-star") : text("gallery.menu.star"));
    }

    private void onKey(KeyEvent key) {
        switch (key.getCode()) {
            case LEFT -> model.moveColumn(-1);
            case RIGHT -> model.moveColumn(1);
            case UP -> model.moveRow(-1);
            case DOWN -> model.moveRow(1);
            case ESCAPE -> model.close();
            case DELETE -> model.delete();
            case S -> model.toggleStar();
            case W -> wipe.setSelected(!wipe.isSelected() && !wipe.isDisabled());
            case F -> zoom.fit();
            case DIGIT1, NUMPAD1 -> zoom.showActualSize();
            case PLUS, ADD, EQUALS -> zoom.zoomIn();
            case MINUS, SUBTRACT -> zoom.zoomOut();
            default -> {
                if (!onSpaceOrCopy(key)) return;
            }
        }
        key.consume();
    }

    /// A focused button is pressed by Space as everywhere.
    private boolean onSpaceOrCopy(KeyEvent key) {
        if (key.getCode() == KeyCode.SPACE && zoom.isFocused()) blink(true);
        else if (key.getCode() == KeyCode.C && key.isShortcutDown()) model.copyImage();
        else return false;
        return true;
    }
}
