package atomstudio.app.controls;

import java.util.Objects;
import javafx.beans.InvalidationListener;
import javafx.beans.value.ObservableValue;
import javafx.collections.ObservableList;
import javafx.scene.Node;

/// Subscriptions that end when a view leaves its scene. A view that is built more than once subscribes in this way to
/// everything that lives longer than itself: `settings.when(shown(this)).subscribe(…)`. Without it the model would keep
/// every copy of the view alive.
public final class ShownView {
    private ShownView() {}

    /// Whether a node is in a scene. `map` rather than `isNotNull`: the latter is held weakly only.
    public static ObservableValue<Boolean> shown(Node node) {
        return node.sceneProperty().map(Objects::nonNull);
    }

    /// Calls `refresh` when the node comes into a scene, and with every change of a list while it is in one.
    public static void refreshWhileShown(Node node, ObservableList<?> list, Runnable refresh) {
        InvalidationListener listener = change -> refresh.run();
        shown(node).subscribe(now -> {
            list.removeListener(listener);
            if (now == null || !now) return;
            list.addListener(listener);
            refresh.run();
        });
    }
}
