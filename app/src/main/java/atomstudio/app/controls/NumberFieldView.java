package atomstudio.app.controls;

import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import javafx.css.PseudoClass;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;

/// A short field for a number between two bounds. Up and down change it by a step; what is no such number is marked
/// and not passed on, and when the field is left the last good one comes back.
public final class NumberFieldView extends TextField {
    private static final PseudoClass INVALID = PseudoClass.getPseudoClass("wrong");

    /// @param step what an arrow key adds
    public record NumberRange(double min, double max, double step) {}

    private final NumberRange range;
    private final DoubleFunction<String> format;
    private final DoubleConsumer onChange;
    private double value;

    public NumberFieldView(NumberRange range, DoubleFunction<String> format, DoubleConsumer onChange) {
        this.range = range;
        this.format = format;
        this.onChange = onChange;
        getStyleClass().add("number");
        setPrefColumnCount(4);
        textProperty().subscribe(this::parseInput);
        focusedProperty().subscribe(focused -> {
            if (!focused) showValue(value);
        });
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.UP) step(range.step());
            else if (key.getCode() == KeyCode.DOWN) step(-range.step());
            else return;
            key.consume();
        });
    }

    /// Shows a value that came from elsewhere.
    public void showValue(double newValue) {
        value = newValue;
        String text = format.apply(newValue);
        if (!text.equals(getText())) setText(text);
        pseudoClassStateChanged(INVALID, false);
    }

    private void step(double delta) {
        double next = Math.clamp(value + delta, range.min(), range.max());
        showValue(next);
        onChange.accept(next);
    }

    private void parseInput(String text) {
        if (text.equals(format.apply(value))) return;
        try {
            double parsed = Double.parseDouble(text.strip());
            boolean valid = parsed >= range.min() && parsed <= range.max()
                    && (range.step() < 1 || parsed == Math.rint(parsed));
            pseudoClassStateChanged(INVALID, !valid);
            if (valid) {
                value = parsed;
                onChange.accept(parsed);
            }
        } catch (NumberFormatException notANumber) {
            pseudoClassStateChanged(INVALID, true);
        }
    }
}
