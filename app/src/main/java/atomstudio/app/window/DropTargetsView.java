package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import java.util.List;
import java.util.Locale;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.input.TransferMode;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import javafx.scene.text.TextAlignment;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The places to drop the dragged files on, over the window. A drop beside them is handled by the window.
final class DropTargetsView extends StackPane {
    private static final PseudoClass DROPPING = PseudoClass.getPseudoClass("dropping");
    private static final double WIDTH = 190;
    private static final double HEIGHT = 130;

    private final DropTargets targets;
    private final FlowPane zones = new FlowPane(14, 14);

    DropTargetsView(DropTargets targets) {
        this.targets = targets;
        setId("drop-targets");
        Region backdrop = new Region();
        backdrop.getStyleClass().add("backdrop");
        zones.setAlignment(Pos.CENTER);
        zones.setMaxWidth(3 * WIDTH + 2 * zones.getHgap());
        zones.setMaxHeight(USE_PREF_SIZE);
        Label hint = new Label(text("window.drop.beside"));
        hint.getStyleClass().add("drop-hint");
        VBox content = new VBox(14, zones, hint);
        content.setAlignment(Pos.CENTER);
        content.setMaxSize(USE_PREF_SIZE, USE_PREF_SIZE);
        getChildren().addAll(backdrop, content);
        targets.shown().subscribe(this::show);
    }

    private void show(List<DropTargets.DropTarget> shown) {
        setVisible(!shown.isEmpty());
        zones.getChildren().setAll(shown.stream().map(this::zone).toList());
    }

    private Node zone(DropTargets.DropTarget target) {
        Label title = new Label(target.title());
        title.setWrapText(true);
        title.setAlignment(Pos.CENTER);
        title.setTextAlignment(TextAlignment.CENTER);
        VBox zone = new VBox(10, new FontIcon(icon(target.kind())), title);
        zone.setId("drop-" + target.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        zone.getStyleClass().add("drop-target");
        zone.setAlignment(Pos.CENTER);
        zone.setMinSize(WIDTH, HEIGHT);
        zone.setMaxSize(WIDTH, HEIGHT);
        zone.setOnDragOver(drag -> {
            drag.acceptTransferModes(TransferMode.COPY);
            zone.pseudoClassStateChanged(DROPPING, true);
            drag.consume();
        });
        zone.setOnDragExited(drag -> zone.pseudoClassStateChanged(DROPPING, false));
        zone.setOnDragDropped(drag -> {
            targets.exit();
            target.run().run();
            drag.setDropCompleted(true);
            drag.consume();
        });
        return zone;
    }

    private static Feather icon(DropTargets.DropKind kind) {
        return switch (kind) {
            case NEW_SUBJECT -> Feather.USER_PLUS;
            case SUBJECT -> Feather.PLUS_SQUARE;
            case SOURCE -> Feather.IMAGE;
            case SETTINGS -> Feather.ROTATE_CCW;
            case MODEL -> Feather.BOX;
            case ADAPTER -> Feather.LAYERS;
            case PROVIDER -> Feather.CPU;
        };
    }
}
