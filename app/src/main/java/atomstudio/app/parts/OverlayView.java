package atomstudio.app.parts;

import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;

/// A card over the whole window, which lies in the shade meanwhile. The keyboard stays in the card until it goes, and then returns
/// to where it was.
public abstract class OverlayView extends StackPane {
    private @Nullable Node first;
    private @Nullable Node before;

    protected OverlayView() {
        setVisible(false);
        sceneProperty().flatMap(Scene::focusOwnerProperty).subscribe(this::hold);
    }

    /// Puts a card into the overlay, once.
    /// @param onShade a click beside the card
    protected void cover(Region card, Runnable onShade) {
        Region shade = new Region();
        shade.getStyleClass().add("shade");
        shade.setOnMouseClicked(click -> onShade.run());
        card.getStyleClass().add("overlay-card");
        getChildren().setAll(shade, card);
    }

    /// Covers the window and puts the keyboard on a part of the card; nothing changes if it covers it already.
    protected void appear(Node focus) {
        if (isVisible()) return;
        before = getScene() == null ? null : getScene().getFocusOwner();
        first = focus;
        setVisible(true);
        focus.requestFocus();
    }

    protected void disappear() {
        if (!isVisible()) return;
        setVisible(false);
        if (before != null) before.requestFocus();
        before = null;
    }

    private void hold(@Nullable Node focused) {
        if (!isVisible() || focused == null || first == null) return;
        for (Node node = focused; node != null; node = node.getParent()) if (node == this) return;
        first.requestFocus();
    }
}
