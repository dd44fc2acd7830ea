package atomstudio.app.parts;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javafx.geometry.Side;
import javafx.scene.control.ContextMenu;
import javafx.scene.control.MenuItem;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;

/// A text field that offers words while one types: those that begin so first, then those that contain it. Any word may be typed.
public final class SuggestFieldView extends TextField {
    private static final int MOST = 8;

    private final ContextMenu menu = new ContextMenu();
    private final Supplier<List<String>> words;

    public SuggestFieldView(Supplier<List<String>> words) {
        this.words = words;
        textProperty().addListener((property, before, now) -> {
            if (isFocused()) offer();
        });
        focusedProperty().addListener((property, before, focused) -> {
            if (!focused) menu.hide();
            else if (getText().isEmpty()) offer();
        });
        setOnKeyPressed(key -> {
            if (key.getCode() == KeyCode.DOWN && !menu.isShowing()) offer();
        });
    }

    private void offer() {
        String typed = getText().strip().toLowerCase(Locale.ROOT);
        List<String> known = words.get();
        List<String> fitting = Stream.concat(known.stream().filter(word -> word.toLowerCase(Locale.ROOT).startsWith(typed)),
            known.stream().filter(word -> word.toLowerCase(Locale.ROOT).contains(typed))).distinct().limit(MOST).toList();
        menu.getItems().setAll(fitting.stream().map(this::item).toList());
        boolean settled = fitting.isEmpty() || fitting.size() == 1 && fitting.getFirst().equalsIgnoreCase(typed);
        if (settled || getScene() == null) menu.hide();
        else if (!menu.isShowing()) menu.show(this, Side.BOTTOM, 0, 2);
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
