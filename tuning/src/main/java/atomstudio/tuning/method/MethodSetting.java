package atomstudio.tuning.method;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// One thing that can be chosen about a method, by its name on the command line and in files.
public enum MethodSetting {
    ATOMS("atoms", "M", "Filter atoms a layer: 1 to 9, with sparse coding also more."),
    M1("m1", "N", "Inner atoms that each overcomplete atom is made of."),
    CODING("coding", "NAME", "How filter atoms are found: linear (exact, nothing stored) or sparse (the paper's)."),
    CHANNEL_BLOCK("channel-block", "K", "Side of a channel block."),
    CHANNEL_ATOMS("channel-atoms", "M", "Channel atoms a layer: 1 to the block's side squared."),
    RANK("rank", "R", "Rank of the low-rank matrices."),
    ALPHA("alpha", "X", "What is tuned counts alpha / rank times; usually the rank itself."),
    SIDE("side", "NAME", "Which channels of a layer are rotated: input (the paper's, peft's) or output (LyCORIS')."),
    BLOCK("block", "N",
            "Channels that are rotated together: a number, or a share of the layer's as in 1/4, which is the paper's."),
    LAYERS("layers", "LIST",
            "Comma list of conv3x3, conv, attention, linear, patterns over layer names, and up, which narrows to the up blocks."),
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

    /// On the command line (after `--`), in run folders and adapter files.
    public String option() {
        return option;
    }

    /// Stands for the value in help.
    public String valueLabel() {
        return valueLabel;
    }

    public String description() {
        return description;
    }

    /// What it can be where that is one of a few names, the usual one first; for layers the words that a list is made
    /// of; else empty.
    public List<String> allowedValues() {
        return switch (this) {
            case SIDE -> Stream.of(Oft.Side.values()).map(Oft.Side::option).toList();
            case CODING -> Stream.of(CodingName.values()).map(coded -> coded.name().toLowerCase(Locale.ROOT)).toList();
            case LAYERS -> LayerSelector.KEYWORDS;
            case ALSO -> Stream
                    .concat(Stream.of(""),
                            Stream.of(MethodSettings.MethodName.values()).map(MethodSettings.MethodName::option))
                    .toList();
            case TEXT_ENCODER -> List.of(NO, YES);
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, BLOCK -> List.of();
        };
    }

    /// The value unless asked otherwise, which may follow from other values.
    String defaultValue(MethodSettings.MethodName choice, Map<MethodSetting, String> chosen) {
        String rank = Integer.toString(MethodSettings.DEFAULT_RANK);
        return switch (this) {
            case ATOMS -> Integer.toString(MethodSettings.DEFAULT_ATOMS);
            case M1 -> "3";
            case CODING -> "linear";
            case CHANNEL_BLOCK -> "4";
            case CHANNEL_ATOMS -> {
                int side = Integer.parseInt(chosen.getOrDefault(CHANNEL_BLOCK, "4"));
                yield Integer.toString(side * side);
            }
            case RANK -> rank;
            case ALPHA -> chosen.getOrDefault(RANK, rank);
            case SIDE -> Oft.Side.INPUT.option();
            case BLOCK -> Oft.Side.OUTPUT.option().equals(chosen.get(SIDE)) ? "8" : "1/4";
            case LAYERS -> choice.layerList();
            case ALSO -> "";
            case TEXT_ENCODER -> NO;
        };
    }

    static Optional<MethodSetting> ofOption(String option) {
        return Stream.of(values()).filter(setting -> setting.option.equals(option)).findFirst();
    }

    /// A value as it is kept and compared.
    String canonical(String value) {
        return switch (this) {
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK -> Integer.toString(parseInt(value));
            case SIDE -> Oft.Side.ofOption(value.strip()).option();
            case BLOCK -> Oft.BlockSpec.parse(value).toString();
            case ALPHA -> format(parseDouble(value));
            case CODING -> CodingName.ofOption(value).name().toLowerCase(Locale.ROOT);
            case LAYERS -> LayerSelector.parse(value).toString();
            case ALSO -> value.isEmpty() ? "" : MethodSettings.MethodName.ofOption(value).option();
            case TEXT_ENCODER -> requireYesOrNo(value);
        };
    }

    /// How filter atoms are found.
    enum CodingName {
        LINEAR, SPARSE;

        static CodingName ofOption(String name) {
            return Stream.of(values())
                    .filter(coded -> coded.name().toLowerCase(Locale.ROOT).equals(name))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalArgumentException("coding: expected linear or sparse, found " + name));
        }
    }

    private int parseInt(String value) {
        try {
            return Integer.parseInt(value.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + ": expected a whole number, found " + value, e);
        }
    }

    /// Without a fraction where it has none: `4`, `0.5`.
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
