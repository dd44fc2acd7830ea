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
public final class PreviewsView extends ScrollPane {
    private static final double SIDE = 112;

    private final HBox strip = new HBox(10);
    private @Nullable Path run;
    private List<RunProgress.Preview> shown = List.of();

    public PreviewsView(ObservableValue<WatchedRun> watched) {
        getStyleClass().addAll("previews", "edge-to-edge");
        setContent(strip);
        setFitToHeight(true);
        setVbarPolicy(ScrollBarPolicy.NEVER);
        watched.subscribe(now -> {
            if (now != null) show(now);
        });
    }

    private void show(WatchedRun now) {
        List<RunProgress.Preview> previews = now.progress().previews();
        boolean other = !now.order().run().equals(run);
        if (!other && previews.equals(shown) && !strip.getChildren().isEmpty()) return;
        boolean grown = !other && previews.size() > shown.size() && previews.subList(0, shown.size()).equals(shown) && !shown.isEmpty();
        run = now.order().run();
        if (!grown) strip.getChildren().clear();
        for (RunProgress.Preview preview : grown ? previews.subList(shown.size(), previews.size()) : previews) strip.getChildren().add(tile(now.order().run(), preview));
        shown = previews;
        boolean any = !strip.getChildren().isEmpty();
        setMinHeight(any ? SIDE + 36 : USE_COMPUTED_SIZE);
        if (!any) strip.getChildren().add(caption(none(now)));
        layout();
        setHvalue(1);
    }

    private static String none(WatchedRun now) {
        if (now.when() != WatchedRun.When.NOW) return "This run made no pictures.";
        return now.order().chosen().previewed() ? "The first picture comes before the first step." : "No pictures are made on the way; ask for one below.";
    }

    private static VBox tile(Path run, RunProgress.Preview preview) {
        RoundedImageView picture = new RoundedImageView(new Image(run.resolve(preview.file()).toUri().toString(), true), SIDE);
        VBox tile = new VBox(4, picture, caption("step " + preview.step() + (preview.asked() ? ", asked" : "")));
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
