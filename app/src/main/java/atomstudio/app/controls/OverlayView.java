package atomstudio.app.controls;

import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;

/// A modal card over the dimmed window. Keyboard focus stays in the card and is restored when it closes.
public abstract class OverlayView extends StackPane {
    private @Nullable Node focusTarget;
    private @Nullable Node previousFocus;

    protected OverlayView() {
        setVisible(false);
        sceneProperty().flatMap(Scene::focusOwnerProperty).subscribe(this::trapFocus);
    }

    /// Sets the card, once.
    /// @param onBackdropClick called for a click beside the card
    protected void setCard(Region card, Runnable onBackdropClick) {
        Region backdrop = new Region();
        backdrop.getStyleClass().add("backdrop");
        backdrop.setOnMouseClicked(click -> onBackdropClick.run());
        card.getStyleClass().add("overlay-card");
        getChildren().setAll(backdrop, card);
    }

    /// Shows the overlay and focuses a control of the card; does nothing if it is already visible.
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
