package atomstudio.app.generate;

import atomstudio.diffusion.sample.Seed;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import javafx.css.PseudoClass;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;

/// A field for a seed of 64 bits. Up and down change it by one; what is no seed is marked and not passed on, and when the field is left the
/// last good one comes back.
final class SeedFieldView extends TextField {
    private static final PseudoClass WRONG = PseudoClass.getPseudoClass("wrong");

    private final LongConsumer onChange;
    private long seed;

    SeedFieldView(LongConsumer onChange) {
        this.onChange = onChange;
        getStyleClass().add("number");
        setPrefColumnCount(7);
        textProperty().subscribe(this::typed);
        focusedProperty().subscribe(focused -> {
            if (!focused) show(seed);
        });
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.UP && seed != -1) step(1);
            else if (key.getCode() == KeyCode.DOWN && seed != 0) step(-1);
            else return;
            key.consume();
        });
    }

    /// Shows a seed that came from elsewhere.
    void show(long shown) {
        seed = shown;
        if (!Seed.format(shown).equals(getText())) setText(Seed.format(shown));
        pseudoClassStateChanged(WRONG, false);
    }

    private void step(int by) {
        show(seed + by);
        onChange.accept(seed);
    }

    private void typed(String text) {
        if (text.equals(Seed.format(seed))) return;
        OptionalLong typed = Seed.parse(text);
        pseudoClassStateChanged(WRONG, typed.isEmpty());
        if (typed.isEmpty()) return;
        seed = typed.getAsLong();
        onChange.accept(seed);
    }
}
