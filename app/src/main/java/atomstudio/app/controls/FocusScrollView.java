package atomstudio.app.controls;

import javafx.geometry.Bounds;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.ScrollPane;

/// Scrolls its content vertically, and keeps the focused control of the content in sight.
public final class FocusScrollView extends ScrollPane {
    /// Margin around a control that is scrolled into view, in pixels.
    private static final double MARGIN = 12;

    public FocusScrollView(Node content) {
        super(content);
        setFitToWidth(true);
        getStyleClass().add("edge-to-edge");
        setHbarPolicy(ScrollBarPolicy.NEVER);
        sceneProperty().flatMap(Scene::focusOwnerProperty).subscribe(focused -> {
            for (Node node = focused; node != null; node = node.getParent()) if (node == content) scrollTo(focused);
        });
    }

    /// Scrolls just enough to show a node of the content.
    private void scrollTo(Node focused) {
        Bounds bounds = getContent().sceneToLocal(focused.localToScene(focused.getLayoutBounds()));
        double viewportHeight = getViewportBounds().getHeight();
        double scrollable = getContent().getLayoutBounds().getHeight() - viewportHeight;
        if (scrollable <= 0) return;
        double top = getVvalue() * scrollable;
        double target = bounds.getMinY() < top ? bounds.getMinY() - MARGIN
                : bounds.getMaxY() > top + viewportHeight ? bounds.getMaxY() + MARGIN - viewportHeight : top;
        setVvalue(Math.clamp(target / scrollable, 0, 1));
    }
}
