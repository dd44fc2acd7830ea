package atomstudio.app.parts;

import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import javafx.css.PseudoClass;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;

/// A short field for a number between two bounds. Up and down change it by a step; what is no such number is marked and not
/// passed on, and when the field is left the last good one comes back.
public final class NumberFieldView extends TextField {
    private static final PseudoClass WRONG = PseudoClass.getPseudoClass("wrong");

    /// @param step what an arrow key adds
    public record Range(double least, double most, double step) {}

    private final Range range;
    private final DoubleFunction<String> format;
    private final DoubleConsumer onChange;
    private double value;

    public NumberFieldView(Range range, DoubleFunction<String> format, DoubleConsumer onChange) {
        this.range = range;
        this.format = format;
        this.onChange = onChange;
        getStyleClass().add("number");
        setPrefColumnCount(4);
        textProperty().subscribe(this::typed);
        focusedProperty().subscribe(focused -> {
            if (!focused) show(value);
        });
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.UP) step(range.step());
            else if (key.getCode() == KeyCode.DOWN) step(-range.step());
            else return;
            key.consume();
        });
    }

    /// Shows a value that came from elsewhere.
    public void show(double shown) {
        value = shown;
        String text = format.apply(shown);
        if (!text.equals(getText())) setText(text);
        pseudoClassStateChanged(WRONG, false);
    }

    private void step(double by) {
        double next = Math.clamp(value + by, range.least(), range.most());
        show(next);
        onChange.accept(next);
    }

    private void typed(String text) {
        if (text.equals(format.apply(value))) return;
        try {
            double typed = Double.parseDouble(text.strip());
            boolean good = typed >= range.least() && typed <= range.most() && (range.step() < 1 || typed == Math.rint(typed));
            pseudoClassStateChanged(WRONG, !good);
            if (good) {
                value = typed;
                onChange.accept(typed);
            }
        } catch (NumberFormatException notYet) {
            pseudoClassStateChanged(WRONG, true);
        }
    }
}
