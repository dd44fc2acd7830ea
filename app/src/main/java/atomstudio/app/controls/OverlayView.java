package atomstudio.app.controls;

import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;

/// A card over the whole window, which lies in the shade meanwhile. The keyboard stays in the card until it goes, and
/// then returns to where it was.
public abstract class OverlayView extends StackPane {
    private @Nullable Node focusTarget;
    private @Nullable Node previousFocus;

    protected OverlayView() {
        setVisible(false);
        sceneProperty().flatMap(Scene::focusOwnerProperty).subscribe(this::trapFocus);
    }

    /// Puts a card into the overlay, once.
    /// @param onBackdropClick a click beside the card
    protected void setCard(Region card, Runnable onBackdropClick) {
        Region backdrop = new Region();
        backdrop.getStyleClass().add("shade");
        backdrop.setOnMouseClicked(click -> onBackdropClick.run());
        card.getStyleClass().add("overlay-card");
        getChildren().setAll(backdrop, card);
    }

    /// Covers the window and puts the keyboard on a part of the card; nothing changes if it covers it already.
    protected void showOverlay(Node focus) {
        if (isVisible()) return;
        previousFocus = getScene() == null ? null : getScene().getFocusOwner();
        focusTarget = focus;
        setVisible(true);
        focus.requestFocus();
    }

    protected void hideOverlay() {
        if (!isVisible()) return;
        setVisible(false);
        if (previousFocus != null) previousFocus.requestFocus();
        previousFocus = null;
    }

    private void trapFocus(@Nullable Node focused) {
        if (!isVisible() || focused == null || focusTarget == null) return;
        for (Node node = focused; node != null; node = node.getParent()) if (node == this) return;
        focusTarget.requestFocus();
    }
}
