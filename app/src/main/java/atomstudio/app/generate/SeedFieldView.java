package atomstudio.app.generate;

import atomstudio.diffusion.sample.Seed;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import javafx.css.PseudoClass;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;

/// A field for a seed of 64 bits. Up and down change it by one; what is no seed is marked and not passed on, and when
/// the field is left the last good one comes back.
final class SeedFieldView extends TextField {
    private static final PseudoClass INVALID = PseudoClass.getPseudoClass("wrong");

    private final LongConsumer onChange;
    private long seed;

    SeedFieldView(LongConsumer onChange) {
        this.onChange = onChange;
        getStyleClass().add("number");
        setPrefColumnCount(7);
        textProperty().subscribe(this::parseInput);
        focusedProperty().subscribe(focused -> {
            if (!focused) showSeed(seed);
        });
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.UP && seed != -1) step(1);
            else if (key.getCode() == KeyCode.DOWN && seed != 0) step(-1);
            else return;
            key.consume();
        });
    }

    /// Shows a seed that came from elsewhere.
    void showSeed(long newSeed) {
        seed = newSeed;
        if (!Seed.format(newSeed).equals(getText())) setText(Seed.format(newSeed));
        pseudoClassStateChanged(INVALID, false);
    }

    private void step(int delta) {
        showSeed(seed + delta);
        onChange.accept(seed);
    }

    private void parseInput(String text) {
        if (text.equals(Seed.format(seed))) return;
        OptionalLong parsed = Seed.parse(text);
        pseudoClassStateChanged(INVALID, parsed.isEmpty());
        if (parsed.isEmpty()) return;
        seed = parsed.getAsLong();
        onChange.accept(seed);
    }
}
