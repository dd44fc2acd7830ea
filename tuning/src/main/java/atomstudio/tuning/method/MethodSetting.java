package atomstudio.tuning.method;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A setting of a tuning method, by its name on the command line and in files.
public enum MethodSetting {
    ATOMS("atoms", "M", "Filter atoms per layer: 1 to 9, with sparse coding also more."),
    M1("m1", "N", "Inner atoms of each overcomplete atom."),
    CODING("coding", "NAME", "Atom decomposition: linear (exact, no coefficients stored) or sparse (the paper's)."),
    CHANNEL_BLOCK("channel-block", "K", "Side of a channel block."),
    CHANNEL_ATOMS("channel-atoms", "M", "Channel atoms per layer: 1 to the block's side squared."),
    RANK("rank", "R", "Rank of the low-rank matrices."),
    ALPHA("alpha", "X", "The update is scaled by alpha / rank; default: the rank."),
    SIDE("side", "NAME", "Channels of a layer that are rotated: input (the paper's, peft's) or output (LyCORIS')."),
    BLOCK("block", "N", "Channels rotated together: a number, or a fraction of the layer's as in 1/4 (the paper's)."),
    LAYERS("layers", "LIST", "Comma-separated list of conv3x3, conv, attention, linear, patterns over layer names, "
            + "and up, which restricts the list to the up blocks."),
    ALSO("also", "METHOD", "A second method on other layers, trained together with the first."),
    TEXT_ENCODER("text-encoder", "YES", "LoRA on the text encoder's attention as well.");

    public static final String YES = "yes";
    public static final String NO = "no";

    private final String option;
    private final String valueLabel;
    private final String description;

    MethodSetting(String option, String valueLabel, String description) {
        this.option = option;
        this.valueLabel = valueLabel;
        this.description = description;
    }

    /// The name on the command line (after `--`), in run folders and adapter files.
    public String option() {
        return option;
    }

    /// Placeholder for the value in help.
    public String valueLabel() {
        return valueLabel;
    }

    public String description() {
        return description;
    }

    /// The possible values, default first, where they are a few names; the keywords of a layer list; otherwise empty.
    public List<String> allowedValues() {
        return switch (this) {
            case SIDE -> Stream.of(Oft.Side.values()).map(Oft.Side::option).toList();
            case CODING -> Stream.of(CodingName.values()).map(CodingName::option).toList();
            case LAYERS -> LayerSelector.KEYWORDS;
            case ALSO -> Stream.concat(Stream.of(""), Stream.of(MethodName.values()).map(MethodName::option)).toList();
            case TEXT_ENCODER -> List.of(NO, YES);
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, BLOCK -> List.of();
        };
    }

    /// May depend on other values.
    String defaultValue(MethodName choice, Map<MethodSetting, String> values) {
        String rank = Integer.toString(MethodSettings.DEFAULT_RANK);
        return switch (this) {
            case ATOMS -> Integer.toString(MethodSettings.DEFAULT_ATOMS);
            case M1 -> "3";
            case CODING -> CodingName.LINEAR.option();
            case CHANNEL_BLOCK -> "4";
            case CHANNEL_ATOMS -> {
                int side = Integer.parseInt(values.getOrDefault(CHANNEL_BLOCK, "4"));
                yield Integer.toString(side * side);
            }
            case RANK -> rank;
            case ALPHA -> values.getOrDefault(RANK, rank);
            case SIDE -> Oft.Side.INPUT.option();
            case BLOCK -> Oft.Side.OUTPUT.option().equals(values.get(SIDE)) ? "8" : "1/4";
            case LAYERS -> choice.defaultLayers();
            case ALSO -> "";
            case TEXT_ENCODER -> NO;
        };
    }

    static Optional<MethodSetting> ofOption(String option) {
        return Stream.of(values()).filter(setting -> setting.option.equals(option)).findFirst();
    }

    /// The form in which values are stored and compared.
    /// @throws IllegalArgumentException for values that cannot be parsed
    String canonical(String value) {
        return switch (this) {
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK -> Integer.toString(parseInt(value));
            case SIDE -> Oft.Side.ofOption(value.strip()).option();
            case BLOCK -> Oft.BlockSpec.parse(value).toString();
            case ALPHA -> format(parseDouble(value));
            case CODING -> CodingName.ofOption(value).option();
            case LAYERS -> LayerSelector.parse(value).toString();
            case ALSO -> value.isEmpty() ? "" : MethodName.ofOption(value).option();
            case TEXT_ENCODER -> requireYesOrNo(value);
        };
    }

    /// Decompositions W ≈ α · D into filter atoms.
    enum CodingName {
        LINEAR, SPARSE;

        static CodingName ofOption(String name) {
            return Stream.of(values())
                    .filter(coding -> coding.option().equals(name))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalArgumentException("coding: expected linear or sparse, found " + name));
        }

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private int parseInt(String value) {
        try {
            return Integer.parseInt(value.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + ": expected a whole number, found " + value, e);
        }
    }

    /// Whole numbers without a decimal point: `4`, `0.5`.
    static String format(double number) {
        return Double.isFinite(number) ? BigDecimal.valueOf(number).stripTrailingZeros().toPlainString()
                : Double.toString(number);
    }

    private double parseDouble(String value) {
        try {
            return Double.parseDouble(value.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + ": expected a number, found " + value, e);
        }
    }

    private String requireYesOrNo(String value) {
        if (value.equals(YES) || value.equals(NO)) return value;
        throw new IllegalArgumentException(option + ": expected " + YES + " or " + NO + ", found " + value);
    }
}
