package atomstudio.app.window;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javafx.application.Platform;
import javafx.scene.Node;
import javafx.scene.Parent;
import javafx.scene.Scene;
import org.jspecify.annotations.Nullable;

/// Keeps the keyboard focus near the control that had it. When the focused control is disabled, hidden or replaced,
/// JavaFX moves the focus on, in most cases to the first control of the window. Here it goes to the control that
/// replaces the old one (same id), else to the nearest one in the innermost container that is left, else into the page.
final class FocusKeeper {
    private final Scene scene;
    private final Supplier<@Nullable Node> page;
    /// Where the last focused control is, or was; empty if none was focused yet.
    private Optional<Place> last = Optional.empty();

    /// @param ancestors  innermost first
    /// @param indexes    that of the child in each ancestor, when it was focused
    private record Place(Node node, List<Parent> ancestors, List<Integer> indexes) {
        static Place of(Node node) {
            List<Parent> ancestors = new ArrayList<>();
            List<Integer> indexes = new ArrayList<>();
            Node child = node;
            for (Parent parent = node.getParent(); parent != null; parent = parent.getParent()) {
                ancestors.add(parent);
                indexes.add(parent.getChildrenUnmodifiable().indexOf(child));
                child = parent;
            }
            return new Place(node, ancestors, indexes);
        }
    }

    private FocusKeeper(Scene scene, Supplier<@Nullable Node> page) {
        this.scene = scene;
        this.page = page;
    }

    /// @param page the content beside which there are only bars
    static void install(Scene scene, Supplier<@Nullable Node> page) {
        FocusKeeper keeper = new FocusKeeper(scene, page);
        scene.focusOwnerProperty().addListener((property, before, now) -> keeper.onFocusChange(before, now));
    }

    private void onFocusChange(@Nullable Node before, @Nullable Node now) {
        if (now == null) return;
        Optional<Place> lost = last.filter(place -> place.node != now && !canHaveFocus(place.node));
        // A control that was replaced on purpose hands its focus over directly; JavaFX clears it first.
        boolean chosenByJavaFx = before == null && lost.isPresent();
        last = Optional.of(Place.of(now));
        if (chosenByJavaFx) Platform.runLater(() -> {
            if (scene.getFocusOwner() == now) replacement(lost.get()).ifPresent(Node::requestFocus);
        });
    }

    private Optional<Node> replacement(Place lost) {
        if (canHaveFocus(lost.node)) return Optional.of(lost.node);
        String id = lost.node.getId();
        Node sameId = id == null ? null : scene.lookup("#" + id);
        if (sameId != null && canHaveFocus(sameId)) return Optional.of(sameId);
        for (int i = 0; i < lost.ancestors.size(); i++) {
            Parent ancestor = lost.ancestors.get(i);
            if (ancestor == scene.getRoot()) break;
            if (!isShown(ancestor)) continue;
            Optional<Node> near = nearest(ancestor, lost.indexes.get(i));
            if (near.isPresent()) return near;
        }
        Node content = page.get();
        return content == null ? Optional.empty() : firstIn(content);
    }

    /// The first control in the children from an index on, else the last one before it.
    private Optional<Node> nearest(Parent ancestor, int index) {
        List<Node> children = ancestor.getChildrenUnmodifiable();
        for (int i = Math.max(0, index); i < children.size(); i++) {
            Optional<Node> found = firstIn(children.get(i));
            if (found.isPresent()) return found;
        }
        for (int i = Math.min(index, children.size()) - 1; i >= 0; i--) {
            Optional<Node> found = firstIn(children.get(i));
            if (found.isPresent()) return found;
        }
        return Optional.empty();
    }

    private Optional<Node> firstIn(Node node) {
        if (!node.isVisible() || node.isDisabled()) return Optional.empty();
        if (canHaveFocus(node)) return Optional.of(node);
        if (!(node instanceof Parent parent)) return Optional.empty();
        return parent.getChildrenUnmodifiable().stream().flatMap(child -> firstIn(child).stream()).findFirst();
    }

    private boolean canHaveFocus(Node node) {
        return node.isFocusTraversable() && !node.isDisabled() && isShown(node);
    }

    private boolean isShown(Node node) {
        for (Node ancestor = node; ancestor != null; ancestor = ancestor.getParent())
            if (!ancestor.isVisible()) return false;
        return node.getScene() == scene;
    }
}
