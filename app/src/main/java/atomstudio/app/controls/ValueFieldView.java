package atomstudio.app.controls;

import atomstudio.diffusion.sample.Seed;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import javafx.css.PseudoClass;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyEvent;
import org.jspecify.annotations.Nullable;

/// A text field for one value. Up and Down change it by one step. Invalid text is marked and not passed on, and the
/// last valid value returns when the field loses focus.
public final class ValueFieldView<T> extends TextField {
    private static final PseudoClass INVALID = PseudoClass.getPseudoClass("invalid");

    /// How values are written, read and stepped.
    /// @param parse empty for invalid text
    private record ValueFormat<T>(Function<T, String> format, Function<String, Optional<T>> parse,
            UnaryOperator<T> next,
            UnaryOperator<T> previous) {}

    /// Bounds of a number, both inclusive.
    /// @param step added or subtracted by an arrow key; 1 or more: only whole numbers are valid
    public record NumberRange(double min, double max, double step) {
        private Optional<Double> parse(String text) {
            try {
                double parsed = Double.parseDouble(text.strip());
                boolean valid = parsed >= min && parsed <= max && (step < 1 || parsed == Math.rint(parsed));
                return valid ? Optional.of(parsed) : Optional.empty();
            } catch (NumberFormatException notANumber) {
                return Optional.empty();
            }
        }
    }

    private final ValueFormat<T> format;
    private final Consumer<T> onChange;
    private @Nullable T value;

    private ValueFieldView(ValueFormat<T> format, Consumer<T> onChange) {
        this.format = format;
        this.onChange = onChange;
        textProperty().subscribe(this::parseInput);
        focusedProperty().subscribe(focused -> {
            if (!focused && value != null) showValue(value);
        });
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            switch (key.getCode()) {
                case UP -> step(format.next);
                case DOWN -> step(format.previous);
                default -> {
                    return;
                }
            }
            key.consume();
        });
    }

    public static ValueFieldView<Double> ofNumber(NumberRange range, DoubleFunction<String> format,
            DoubleConsumer onChange) {
        ValueFieldView<Double> field = new ValueFieldView<>(
                new ValueFormat<>(format::apply, range::parse, value -> Math.min(value + range.step, range.max),
                        value -> Math.max(value - range.step, range.min)),
                onChange::accept);
        field.setPrefColumnCount(4);
        return field;
    }

    /// A field for an unsigned 64-bit seed.
    public static ValueFieldView<Long> ofSeed(LongConsumer onChange) {
        ValueFieldView<Long> field = new ValueFieldView<>(
                new ValueFormat<>(Seed::format, ValueFieldView::parseSeed, seed -> seed == -1 ? seed : seed + 1,
                        seed -> seed == 0 ? seed : seed - 1),
                onChange::accept);
        field.setPrefColumnCount(7);
        return field;
    }

    private static Optional<Long> parseSeed(String text) {
        OptionalLong parsed = Seed.parse(text);
        return parsed.isPresent() ? Optional.of(parsed.getAsLong()) : Optional.empty();
    }

    /// Shows a value without calling the change listener.
    public void showValue(T newValue) {
        value = newValue;
        String text = format.format.apply(newValue);
        if (!text.equals(getText())) setText(text);
        pseudoClassStateChanged(INVALID, false);
    }

    private void step(UnaryOperator<T> change) {
        if (value == null) return;
        T next = change.apply(value);
        if (next.equals(value)) return;
        showValue(next);
        onChange.accept(next);
    }

    private void parseInput(String text) {
        if (value != null && text.equals(format.format.apply(value))) return;
        Optional<T> parsed = format.parse.apply(text);
        pseudoClassStateChanged(INVALID, parsed.isEmpty());
        if (parsed.isEmpty()) return;
        value = parsed.get();
        onChange.accept(parsed.get());
    }
}
