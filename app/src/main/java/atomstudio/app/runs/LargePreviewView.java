package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.OverlayView;
import java.util.List;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.image.Image;
import javafx.scene.image.ImageView;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// A preview of the shown run over the page. The arrow keys show the one before and after, Escape closes it.
public final class LargePreviewView extends OverlayView {
    /// Space for caption, padding and margins, in pixels.
    private static final double MARGIN = 130;

    private final ObservableValue<RunsViewModel.ShownRun> run;
    private final ImageView image = new ImageView();
    private final Label caption = new Label();
    private final Button close = new ActionButtonView(text("runs.preview.close"), this::hideOverlay)
            .withId("close-preview");
    private int index;

    public LargePreviewView(ObservableValue<RunsViewModel.ShownRun> run) {
        this.run = run;
        setId("large-preview");
        image.setPreserveRatio(true);
        // Small models' images are shown pixel by pixel, but smoothly.
        image.setSmooth(true);
        image.fitHeightProperty().bind(heightProperty().subtract(MARGIN));
        image.fitWidthProperty().bind(widthProperty().subtract(MARGIN));
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox line = new HBox(8, caption, gap, step("‹", -1), step("›", 1), close);
        line.setAlignment(Pos.CENTER_LEFT);
        VBox card = new VBox(10, image, line);
        card.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        setCard(card, this::hideOverlay);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
    }

    private Button step(String sign, int direction) {
        Button button = new ActionButtonView(sign, () -> show(index + direction));
        button.setAccessibleText(direction < 0 ? text("runs.preview.before") : text("runs.preview.after"));
        return button;
    }

    /// Shows a preview by its index.
    public void open(int shown) {
        show(shown);
        showOverlay(close);
    }

    private void show(int shown) {
        RunsViewModel.ShownRun current = run.getValue();
        if (current == null) return;
        List<RunProgress.PreviewImage> previews = current.progress().previews();
        if (shown < 0 || shown >= previews.size()) return;
        index = shown;
        RunProgress.PreviewImage preview = previews.get(shown);
        image.setImage(new Image(current.spec().folder().resolve(preview.file()).toUri().toString(), true));
        caption.setText(PreviewStripView.title(preview) + " · “" + preview.prompt() + "”");
    }

    private void onKey(KeyEvent key) {
        switch (key.getCode()) {
            case LEFT -> show(index - 1);
            case RIGHT -> show(index + 1);
            case ESCAPE -> hideOverlay();
            default -> {
                return;
            }
        }
        key.consume();
    }
}
