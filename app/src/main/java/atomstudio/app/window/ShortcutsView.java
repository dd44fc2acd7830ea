package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.controls.Shortcut;
import java.util.Arrays;
import java.util.List;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.GridPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The overview of all keyboard shortcuts.
final class ShortcutsView extends OverlayView {
    private final Button close = new ActionButtonView(text("window.shortcuts.close"), this::hideOverlay);

    ShortcutsView() {
        setId("shortcuts");
        Label title = new Label(text("window.shortcuts"));
        title.getStyleClass().add("page-title");
        HBox columns = new HBox(36,
                new VBox(18, group(Shortcut.ShortcutGroup.WINDOW), group(Shortcut.ShortcutGroup.GENERATE)),
                new VBox(18, group(Shortcut.ShortcutGroup.PROMPT), group(Shortcut.ShortcutGroup.MASK)),
                group(Shortcut.ShortcutGroup.IMAGE));
        VBox card = new VBox(16, title, columns, close);
        card.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
        setCard(card, this::hideOverlay);
        addEventHandler(KeyEvent.KEY_PRESSED, key -> {
            if (!Shortcut.CANCEL.matches(key)) return;
            hideOverlay();
            key.consume();
        });
    }

    void toggle() {
        if (isVisible()) hideOverlay();
        else showOverlay(close);
    }

    private static Node group(Shortcut.ShortcutGroup group) {
        Label title = new Label(group.title());
        title.getStyleClass().add("row-title");
        GridPane lines = new GridPane(14, 5);
        List<Shortcut> shortcuts = Arrays.stream(Shortcut.values()).filter(one -> one.group() == group).toList();
        for (int i = 0; i < shortcuts.size(); i++) {
            Label keys = new Label(shortcuts.get(i).keys());
            keys.getStyleClass().add("shortcut-keys");
            keys.setMinWidth(Region.USE_PREF_SIZE);
            lines.addRow(i, keys, new Label(shortcuts.get(i).title()));
        }
        return new VBox(7, title, lines);
    }
}
