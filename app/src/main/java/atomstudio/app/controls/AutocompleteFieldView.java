package atomstudio.app.controls;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javafx.application.Platform;
import javafx.geometry.Side;
import javafx.scene.Scene;
import javafx.scene.control.ContextMenu;
import javafx.scene.control.MenuItem;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;

/// A text field with suggestions: matches at the start first, then matches anywhere. Any text is allowed.
public final class AutocompleteFieldView extends TextField {
    private static final int MAX_SUGGESTIONS = 8;

    private final ContextMenu menu = new ContextMenu();
    private final Supplier<List<String>> suggestions;

    public AutocompleteFieldView(Supplier<List<String>> suggestions) {
        this.suggestions = suggestions;
        textProperty().addListener((property, before, now) -> {
            if (isFocused()) showSuggestions();
        });
        focusedProperty().addListener((property, before, focused) -> {
            if (!focused) menu.hide();
            else if (getText().isEmpty()) showSuggestions();
        });
        setOnKeyPressed(key -> {
            if (key.getCode() == KeyCode.DOWN && !menu.isShowing()) showSuggestions();
        });
    }

    private void showSuggestions() {
        String typed = getText().strip().toLowerCase(Locale.ROOT);
        List<String> candidates = suggestions.get();
        List<String> matches = Stream
                .concat(candidates.stream().filter(word -> word.toLowerCase(Locale.ROOT).startsWith(typed)),
                        candidates.stream().filter(word -> word.toLowerCase(Locale.ROOT).contains(typed)))
                .distinct()
                .limit(MAX_SUGGESTIONS)
                .toList();
        menu.getItems().setAll(matches.stream().map(this::item).toList());
        boolean completed = matches.isEmpty() || matches.size() == 1 && matches.getFirst().equalsIgnoreCase(typed);
        if (completed || getScene() == null) menu.hide();
        else if (!menu.isShowing()) showAfterLayout(getScene());
    }

    /// A field that is focused when its page opens has no place on the screen yet.
    private void showAfterLayout(Scene scene) {
        Runnable[] listener = new Runnable[1];
        listener[0] = () -> {
            scene.removePostLayoutPulseListener(listener[0]);
            Platform.runLater(() -> {
                if (isFocused() && getScene() == scene && !menu.isShowing()) menu.show(this, Side.BOTTOM, 0, 2);
            });
        };
        scene.addPostLayoutPulseListener(listener[0]);
        Platform.requestNextPulse();
    }

    private MenuItem item(String word) {
        MenuItem item = new MenuItem(word);
        item.setMnemonicParsing(false);
        item.setOnAction(chosen -> {
            setText(word);
            end();
            menu.hide();
        });
        return item;
    }
}
