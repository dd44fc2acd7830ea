package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CellOrder.CellChange;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// An axis of an X/Y grid.
public enum GridAxis {
    STRENGTH(GenerationLimits.ADAPTER_WEIGHT, "0, 0.5, 1, 1.5"),
    STEPS(GenerationLimits.STEPS, "10, 20, 40"),
    GUIDANCE(GenerationLimits.GUIDANCE_SCALE, "2, 4, 7.5"),
    /// The result of the row's run and its checkpoints.
    CHECKPOINT(null, ""),
    /// The finished runs of the subject.
    METHOD(null, "");

    /// More values are refused.
    static final int MAX_VALUES = 20;
    private static final String NUMBER = "(-?\\d+(?:\\.\\d+)?)";
    /// A1111's ranges: `1-5`, `0-1 (+0.25)`, `0-1 [5]`.
    private static final Pattern RANGE = Pattern.compile(
            NUMBER + "\\s*-\\s*" + NUMBER + "\\s*(?:\\(\\+\\s*" + NUMBER + "\\)|\\[(\\d+)])?");

    private final Optional<NumberLimit> limit;
    private final String example;

    GridAxis(@Nullable NumberLimit limit, String example) {
        this.limit = Optional.ofNullable(limit);
        this.example = example;
    }

    public String title() {
        return switch (this) {
            case STRENGTH -> text("compare.axis.strength");
            case STEPS -> text("compare.axis.steps");
            case GUIDANCE -> text("compare.axis.guidance");
            case CHECKPOINT -> text("compare.axis.checkpoint");
            case METHOD -> text("compare.axis.method");
        };
    }

    /// Whether its values are typed rather than chosen from what exists.
    public boolean isNumber() { return limit.isPresent(); }

    public String example() {
        return example;
    }

    /// Values separated by commas, or a range as A1111 writes it. Equal values count once.
    /// @throws Failure.Incompatible naming the axis, what is expected and what was found
    List<CellChange> parse(String values) throws Failure.Incompatible {
        Set<CellChange> changes = new LinkedHashSet<>();
        for (String part : values.split(",")) {
            String word = part.strip();
            if (word.isEmpty()) continue;
            for (double number : numbers(word)) changes.add(change(number, word));
        }
        if (changes.isEmpty()) throw new Failure.Incompatible(text("compare.xy.empty", title(), example));
        if (changes.size() > MAX_VALUES)
            throw new Failure.Incompatible(text("compare.xy.many", title(), MAX_VALUES, changes.size()));
        return List.copyOf(changes);
    }

    private List<Double> numbers(String word) throws Failure.Incompatible {
        try {
            return List.of(Double.parseDouble(word.replace('−', '-')));
        } catch (NumberFormatException noNumber) {
            Matcher range = RANGE.matcher(word);
            if (!range.matches()) throw invalid(word);
            double from = Double.parseDouble(range.group(1));
            double to = Double.parseDouble(range.group(2));
            int count = range.group(4) == null ? 0 : Integer.parseInt(range.group(4));
            double step = range.group(3) != null ? Double.parseDouble(range.group(3))
                    : count > 1 ? (to - from) / (count - 1) : count == 1 ? to - from + 1 : 1;
            if (step <= 0 || to < from || (to - from) / step > 10 * MAX_VALUES) throw invalid(word);
            List<Double> numbers = new ArrayList<>();
            // Rounded: 0.1 + 0.2 is not 0.3.
            for (int i = 0; from + i * step <= to + 1e-9; i++) numbers.add(Math.round((from + i * step) * 1e6) / 1e6);
            return numbers;
        }
    }

    private CellChange change(double number, String word) throws Failure.Incompatible {
        if (!limit.orElseThrow().contains(number) || this == STEPS && number != Math.rint(number)) throw invalid(word);
        return switch (this) {
            case STRENGTH -> new CellOrder.SetStrength(number);
            case STEPS -> new CellOrder.SetSteps((int) number);
            case GUIDANCE -> new CellOrder.SetGuidance(number);
            case CHECKPOINT, METHOD -> throw new IllegalStateException(this + " has no numeric values");
        };
    }

    private Failure.Incompatible invalid(String word) {
        String kind = this == STEPS ? text("compare.xy.whole") : text("compare.xy.numbers");
        return new Failure.Incompatible(
                text("compare.xy.invalid", title(), kind, limit.orElseThrow().toString(), word));
    }
}
