package atomstudio.app.controls;

import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.diffusion.sample.Seed;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.function.LongConsumer;
import javafx.animation.PauseTransition;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.css.PseudoClass;
import javafx.geometry.Point2D;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyEvent;
import javafx.util.Duration;
import org.jspecify.annotations.Nullable;

/// A text field for one value. Enter and leaving the field commit what was typed, Escape takes it back, Up and Down
/// change the value by one step. A text that is no valid value is not committed: the value before returns, and a note
/// states what is valid.
public final class ValueFieldView<T> extends TextField {
    private static final PseudoClass INVALID = PseudoClass.getPseudoClass("invalid");
    private static final Duration NOTE_SHOWN_FOR = Duration.seconds(6);

    /// How values are written, read and stepped.
    private interface ValueFormat<T> {
        String format(T value);

        /// Empty for invalid text.
        Optional<T> parse(String text);

        T step(T value, int direction);

        /// The valid values in words.
        String expected();
    }

    /// The numbers of a field.
    /// @param step added or subtracted by an arrow key; 1 or more: only multiples of it, from the minimum on, are valid
    public record NumberRange(NumberLimit limit, double step) {
        public NumberRange(double min, double max, double step) {
            this(NumberLimit.between(min, max), step);
        }

        private boolean contains(double value) {
            double steps = (value - limit.min()) / step;
            return limit.contains(value) && (step < 1 || steps == Math.rint(steps));
        }

        @Override
        public String toString() {
            String kind = step < 1 ? "" : step == 1 ? "a whole number, " : "a multiple of " + (long) step + ", ";
            return kind + limit;
        }
    }

    private record NumberFormat(NumberRange range, DoubleFunction<String> formatter) implements ValueFormat<Double> {
        @Override
        public String format(Double value) {
            return formatter.apply(value);
        }

        @Override
        public Optional<Double> parse(String text) {
            try {
                double parsed = Double.parseDouble(text.strip().replace(',', '.').replace('−', '-'));
                return range.contains(parsed) ? Optional.of(parsed) : Optional.empty();
            } catch (NumberFormatException notANumber) {
                return Optional.empty();
            }
        }

        @Override
        public Double step(Double value, int direction) {
            // Rounded: 0.1 + 0.2 is not 0.3.
            double stepped = Math.round((value + direction * range.step) * 1e6) / 1e6;
            double limited = Math.clamp(stepped, range.limit.min(), range.limit.max());
            return range.limit.contains(limited) ? limited : value;
        }

        @Override
        public String expected() {
            return range.toString();
        }
    }

    private static final class SeedFormat implements ValueFormat<Long> {
        @Override
        public String format(Long value) {
            return Seed.format(value);
        }

        @Override
        public Optional<Long> parse(String text) {
            OptionalLong parsed = Seed.parse(text);
            return parsed.isPresent() ? Optional.of(parsed.getAsLong()) : Optional.empty();
        }

        @Override
        public Long step(Long value, int direction) {
            boolean atBound = value == (direction > 0 ? -1L : 0L);
            return atBound ? value : value + direction;
        }

        @Override
        public String expected() {
            return Seed.RANGE;
        }
    }

    private final Consumer<T> onChange;
    private final ReadOnlyStringWrapper rejection = new ReadOnlyStringWrapper("");
    private final Tooltip note = new Tooltip();
    private final PauseTransition noteTime = new PauseTransition(NOTE_SHOWN_FOR);
    private ValueFormat<T> format;
    private @Nullable T value;

    private ValueFieldView(ValueFormat<T> format, Consumer<T> onChange) {
        this.format = format;
        this.onChange = onChange;
        setAccessibleHelp("Expected: " + format.expected());
        note.textProperty().bind(rejection);
        note.getStyleClass().add("value-note");
        noteTime.setOnFinished(end -> note.hide());
        textProperty().subscribe(text -> {
            boolean typed = isEdited();
            if (typed) hideNote();
            pseudoClassStateChanged(INVALID, typed && this.format.parse(text).isEmpty());
        });
        focusedProperty().subscribe(focused -> {
            if (!focused) commit();
        });
        addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
    }

    public static ValueFieldView<Double> ofNumber(NumberRange range, DoubleFunction<String> format,
            DoubleConsumer onChange) {
        ValueFieldView<Double> field = new ValueFieldView<>(new NumberFormat(range, format), onChange::accept);
        field.setPrefColumnCount(4);
        return field;
    }

    /// A field for an unsigned 64-bit seed.
    public static ValueFieldView<Long> ofSeed(LongConsumer onChange) {
        ValueFieldView<Long> field = new ValueFieldView<>(new SeedFormat(), onChange::accept);
        field.setPrefColumnCount(7);
        return field;
    }

    /// Changes the valid numbers of a number field.
    @SuppressWarnings("unchecked")
    public void setRange(NumberRange range) {
        if (!(format instanceof NumberFormat number)) throw new IllegalStateException("not a number field");
        format = (ValueFormat<T>) new NumberFormat(range, number.formatter);
        setAccessibleHelp("Expected: " + format.expected());
    }

    /// The committed value; null before [#showValue].
    public @Nullable T value() {
        return value;
    }

    /// Why the last typed text was not committed: `“500”: expected 1 to 200`; empty if it was.
    public ReadOnlyStringProperty rejection() {
        return rejection.getReadOnlyProperty();
    }

    /// Shows a value without calling the change listener. What is being typed stays if the value is the same.
    public void showValue(T newValue) {
        if (newValue.equals(value) && isFocused() && isEdited()) return;
        setCommitted(newValue);
    }

    private void setCommitted(T committed) {
        value = committed;
        String text = format.format(committed);
        if (!text.equals(getText())) setText(text);
        pseudoClassStateChanged(INVALID, false);
    }

    private boolean isEdited() { return value != null && !getText().equals(format.format(value)); }

    /// Takes over what was typed, if it is valid.
    public void commit() {
        if (value == null || !isEdited()) return;
        String typed = getText();
        Optional<T> parsed = format.parse(typed);
        T before = value;
        setCommitted(parsed.orElse(before));
        if (parsed.isEmpty()) reject(typed);
        else if (!parsed.get().equals(before)) onChange.accept(parsed.get());
    }

    private void reject(String typed) {
        rejection.set("“" + typed.strip() + "”: expected " + format.expected());
        Point2D below = getScene() == null || getScene().getWindow() == null || !getScene().getWindow().isShowing()
                ? null
                : localToScreen(0, getHeight() + 4);
        if (below == null) return;
        note.show(this, below.getX(), below.getY());
        noteTime.playFromStart();
    }

    private void hideNote() {
        rejection.set("");
        note.hide();
    }

    private void onKey(KeyEvent key) {
        boolean edited = isEdited();
        switch (key.getCode()) {
            case UP -> step(1);
            case DOWN -> step(-1);
            case ENTER -> {
                commit();
                selectAll();
                if (!edited) return;
            }
            case ESCAPE -> {
                if (!edited || value == null) return;
                setCommitted(value);
            }
            default -> {
                return;
            }
        }
        key.consume();
    }

    private void step(int direction) {
        commit();
        if (value == null) return;
        T next = format.step(value, direction);
        if (next.equals(value)) return;
        setCommitted(next);
        onChange.accept(next);
    }
}
