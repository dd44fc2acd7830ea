package atomstudio.app.tune;

import atomstudio.app.parts.RoundedImageView;
import java.nio.file.Path;
import java.util.List;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// The preview pictures of a run in a strip, the newest on the right.
public final class PreviewStripView extends ScrollPane {
    private static final double SIDE = 112;

    private final HBox strip = new HBox(10);
    private @Nullable Path runFolder;
    private List<RunProgress.PreviewImage> shown = List.of();

    public PreviewStripView(ObservableValue<ShownRun> watched) {
        getStyleClass().addAll("previews", "edge-to-edge");
        setContent(strip);
        setFitToHeight(true);
        setVbarPolicy(ScrollBarPolicy.NEVER);
        watched.subscribe(now -> {
            if (now != null) show(now);
        });
    }

    private void show(ShownRun current) {
        List<RunProgress.PreviewImage> previews = current.progress().previews();
        boolean otherRun = !current.spec().folder().equals(runFolder);
        if (!otherRun && previews.equals(shown) && !strip.getChildren().isEmpty()) return;
        boolean appended = !otherRun && previews.size() > shown.size() && previews.subList(0, shown.size()).equals(shown) && !shown.isEmpty();
        runFolder = current.spec().folder();
        if (!appended) strip.getChildren().clear();
        for (RunProgress.PreviewImage preview : appended ? previews.subList(shown.size(), previews.size()) : previews) strip.getChildren().add(tile(current.spec().folder(), preview));
        shown = previews;
        boolean hasTiles = !strip.getChildren().isEmpty();
        setMinHeight(hasTiles ? SIDE + 36 : USE_COMPUTED_SIZE);
        if (!hasTiles) strip.getChildren().add(caption(emptyText(current)));
        layout();
        setHvalue(1);
    }

    private static String emptyText(ShownRun current) {
        if (current.liveness() != ShownRun.Liveness.LIVE) return "This run made no pictures.";
        return current.spec().choices().hasPreviews() ? "The first picture comes before the first step." : "No pictures are made on the way; ask for one below.";
    }

    private static VBox tile(Path run, RunProgress.PreviewImage preview) {
        RoundedImageView picture = new RoundedImageView(new Image(run.resolve(preview.file()).toUri().toString(), true), SIDE);
        VBox tile = new VBox(4, picture, caption("step " + preview.step() + (preview.isManual() ? ", asked" : "")));
        tile.setAccessibleText("“" + preview.prompt() + "”, step " + preview.step());
        Tooltip.install(tile, new Tooltip("“" + preview.prompt() + "”"));
        tile.setAlignment(Pos.TOP_CENTER);
        tile.setMinWidth(SIDE);
        return tile;
    }

    private static Label caption(String text) {
        Label caption = new Label(text);
        caption.getStyleClass().add("muted");
        return caption;
    }
}
