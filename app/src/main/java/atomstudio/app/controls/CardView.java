package atomstudio.app.controls;

import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// A framed section of a page with a title and a subtitle to the right of it.
public class CardView extends VBox {
    private final Label title = new Label();
    private final Label subtitle = new Label();
    private final HBox header;

    public CardView(String title) {
        getStyleClass().add("studio-card");
        this.title.setText(title);
        this.title.getStyleClass().add("card-title");
        this.title.setMinWidth(Region.USE_PREF_SIZE);
        subtitle.getStyleClass().add("muted");
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        header = new HBox(8, this.title, gap, subtitle);
        header.setAlignment(Pos.CENTER_LEFT);
        getChildren().add(header);
    }

    public Label title() {
        return title;
    }

    public Label subtitle() {
        return subtitle;
    }

    /// Adds a control to the right of the title.
    public void addToHeader(Node node) {
        header.getChildren().add(node);
    }

    public void add(Node... nodes) {
        getChildren().addAll(nodes);
    }
}
