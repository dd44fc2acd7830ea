package atomstudio.app.controls;

import javafx.geometry.Bounds;
import javafx.geometry.Insets;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;

/// Scrolls its content vertically, and keeps the focused control of the content in sight. The scroll bar lies in a
/// margin at the right, so that it touches no control, and content keeps its width when the bar appears.
public final class FocusScrollView extends ScrollPane {
    /// Width of the margin with the scroll bar.
    public static final double BAR_SPACE = 14;
    /// Margin around a control that is scrolled into view, in pixels.
    private static final double MARGIN = 12;

    private final StackPane padded;

    public FocusScrollView(Node content) {
        padded = new StackPane(content);
        setContent(padded);
        setFitToWidth(true);
        getStyleClass().add("edge-to-edge");
        setHbarPolicy(ScrollBarPolicy.NEVER);
        viewportBoundsProperty().subscribe(viewport -> padded
                .setPadding(new Insets(0, Math.max(0, BAR_SPACE - (getWidth() - viewport.getWidth())), 0, 0)));
        sceneProperty().flatMap(Scene::focusOwnerProperty).subscribe(focused -> {
            for (Node node = focused; node != null; node = node.getParent()) if (node == content) scrollTo(focused);
        });
    }

    /// Puts the scroll bar into the margin of the parent: the content is as wide as the parent's other children.
    public FocusScrollView withBarInMargin() {
        Insets outside = new Insets(0, -BAR_SPACE, 0, 0);
        VBox.setMargin(this, outside);
        StackPane.setMargin(this, outside);
        return this;
    }

    /// Scrolls just enough to show a node of the content.
    private void scrollTo(Node focused) {
        Bounds bounds = padded.sceneToLocal(focused.localToScene(focused.getLayoutBounds()));
        double viewportHeight = getViewportBounds().getHeight();
        double scrollable = padded.getLayoutBounds().getHeight() - viewportHeight;
        if (scrollable <= 0) return;
        double top = getVvalue() * scrollable;
        double target = bounds.getMinY() < top ? bounds.getMinY() - MARGIN
                : bounds.getMaxY() > top + viewportHeight ? bounds.getMaxY() + MARGIN - viewportHeight : top;
        setVvalue(Math.clamp(target / scrollable, 0, 1));
    }
}
