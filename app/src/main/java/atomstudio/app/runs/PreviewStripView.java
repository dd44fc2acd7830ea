package atomstudio.app.runs;

import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.RoundedImageView;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;
import javafx.beans.property.ReadOnlyDoubleWrapper;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// The previews of a run in a strip, the newest at the right. A click opens one large.
final class PreviewStripView extends ScrollPane {
    private static final double SIDE = 132;
    /// In a window that is higher than this, in pixels.
    private static final double LARGE_SIDE = 208;
    private static final double LARGE_WINDOW = 1100;

    private final ReadOnlyDoubleWrapper side = new ReadOnlyDoubleWrapper(SIDE);
    private final HBox strip = new HBox(10);
    private final IntConsumer open;
    private @Nullable Path runFolder;
    private List<RunProgress.PreviewImage> shown = List.of();

    /// @param open shows the preview of an index large
    PreviewStripView(ObservableValue<RunsViewModel.ShownRun> watched, IntConsumer open) {
        this.open = open;
        getStyleClass().addAll("previews", "edge-to-edge");
        setContent(strip);
        setFitToHeight(true);
        setVbarPolicy(ScrollBarPolicy.NEVER);
        // The strip is wider after the next layout only.
        strip.widthProperty().subscribe(width -> setHvalue(getHmax()));
        sceneProperty()
                .flatMap(Scene::heightProperty)
                .subscribe(height -> {
                    side.set(height != null && height.doubleValue() > LARGE_WINDOW ? LARGE_SIDE : SIDE);
                    updateHeight();
                });
        watched.subscribe(now -> {
            if (now != null) show(now);
        });
    }

    private void show(RunsViewModel.ShownRun current) {
        List<RunProgress.PreviewImage> previews = current.progress().previews();
        boolean otherRun = !current.spec().folder().equals(runFolder);
        if (!otherRun && previews.equals(shown) && !strip.getChildren().isEmpty()) return;
        boolean appended = !otherRun && previews.size() > shown.size()
                && previews.subList(0, shown.size()).equals(shown) && !shown.isEmpty();
        runFolder = current.spec().folder();
        if (!appended) strip.getChildren().clear();
        for (int i = appended ? shown.size() : 0; i < previews.size(); i++)
            strip.getChildren().add(tile(current.spec().folder(), previews.get(i), i));
        shown = previews;
        updateHeight();
        if (previews.isEmpty()) strip.getChildren().setAll(caption(emptyText(current)));
    }

    private void updateHeight() {
        setMinHeight(shown.isEmpty() ? USE_COMPUTED_SIZE : side.get() + 36);
    }

    private static String emptyText(RunsViewModel.ShownRun current) {
        if (current.liveness() != RunsViewModel.ShownRun.Liveness.LIVE) return text("runs.previews.none");
        return current.spec().choices().hasPreviews() ? text("runs.previews.first") : text("runs.previews.off");
    }

    private Button tile(Path run, RunProgress.PreviewImage preview, int index) {
        RoundedImageView image = new RoundedImageView(
                new Image(run.resolve(preview.file()).toUri().toString(), true), SIDE);
        VBox content = new VBox(4, image, caption(title(preview)));
        content.setAlignment(Pos.TOP_CENTER);
        Button tile = new Button();
        side.when(shown(tile)).subscribe(now -> {
            image.setSide(now.doubleValue());
            content.setMinWidth(now.doubleValue());
        });
        tile.setGraphic(content);
        tile.getStyleClass().addAll("flat", "preview-tile");
        tile.setAccessibleText("“" + preview.prompt() + "”, " + title(preview));
        tile.setTooltip(new Tooltip("“" + preview.prompt() + "”"));
        tile.setOnAction(pressed -> open.accept(index));
        return tile;
    }

    static String title(RunProgress.PreviewImage preview) {
        return preview.isManual() ? text("runs.previews.step.manual", preview.step())
                : text("runs.previews.step", preview.step());
    }

    private static Label caption(String text) {
        Label caption = new Label(text);
        caption.getStyleClass().add("muted");
        return caption;
    }
}
