package atomstudio.tuning.method;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A setting of a method: its name on the command line and in files, its caption in the window, and its help.
public enum MethodSetting {
    ATOMS(List.of("atoms"), "Atoms", "M", "Filter atoms per layer: 1 to 9, with sparse coding also more."),
    INNER_ATOMS(List.of("inner-atoms", "m1"), "Inner atoms", "N", "Inner atoms per overcomplete atom."),
    CODING(List.of("coding"), "Atom decomposition", "NAME",
            "Decomposition of the filters into atoms: linear (exact, nothing stored) or sparse (the paper's)."),
    CHANNEL_BLOCK(List.of("channel-block"), "Channel block", "K", "Side of a channel block."),
    CHANNEL_ATOMS(List.of("channel-atoms"), "Channel atoms", "M",
            "Channel atoms per layer: 1 to the block's side squared."),
    RANK(List.of("rank"), "Rank", "R", "Rank of the low-rank matrices."),
    ALPHA(List.of("alpha"), "Alpha", "X", "The update is scaled by alpha / rank. Default: the rank."),
    SIDE(List.of("side"), "Rotated channels", "NAME",
            "Channels of a layer that are rotated: input (the paper's, peft's) or output (LyCORIS')."),
    BLOCK_SIZE(List.of("block-size", "block"), "Block size", "N",
            "Channels that are rotated together: a number, or a share of the layer's such as 1/4, the paper's."),
    LAYERS(List.of("layers"), "Layers", "LIST",
            "Comma-separated list of conv3x3, conv, attention, linear, patterns over layer names, and up, which "
                    + "restricts it to the up blocks."),
    COMBINE_WITH(List.of("combine-with", "also"), "Combine with", "METHOD",
            "A second method on other layers, trained together with the first."),
    TRAIN_TEXT_ENCODER(List.of("train-text-encoder", "text-encoder"), "Train text encoder (LoRA)", "YES",
            "Also train LoRA on the text encoder's attention.");

    public static final String YES = "yes";
    public static final String NO = "no";

    private final List<String> names;
    private final String title;
    private final String valueLabel;
    private final String description;

    MethodSetting(List<String> names, String title, String valueLabel, String description) {
        this.names = names;
        this.title = title;
        this.valueLabel = valueLabel;
        this.description = description;
    }

    /// The name on the command line (after `--`), in run folders and adapter files.
    public String option() {
        return names.getFirst();
    }

    /// Older names, which are still read.
    public List<String> aliases() {
        return names.subList(1, names.size());
    }

    /// The caption in the window.
    public String title() {
        return title;
    }

    /// Title and value for summaries: `Rank 8`, `Combine with Textual inversion`.
    public String describe(String value) {
        return switch (this) {
            case TRAIN_TEXT_ENCODER -> title;
            case COMBINE_WITH -> title + " " + MethodName.ofOption(value).displayName();
            case ATOMS, INNER_ATOMS, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK_SIZE, LAYERS ->
                    title + " " + value;
        };
    }

    /// Stands for the value in the help.
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
            case COMBINE_WITH -> Stream
                    .concat(Stream.of(""),
                            Stream.of(MethodName.values()).map(MethodName::option))
                    .toList();
            case TRAIN_TEXT_ENCODER -> List.of(NO, YES);
            case ATOMS, INNER_ATOMS, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, BLOCK_SIZE -> List.of();
        };
    }

    /// May depend on other values.
    String defaultValue(MethodName choice, Map<MethodSetting, String> values) {
        String rank = Integer.toString(MethodSettings.DEFAULT_RANK);
        return switch (this) {
            case ATOMS -> Integer.toString(MethodSettings.DEFAULT_ATOMS);
            case INNER_ATOMS -> "3";
            case CODING -> CodingName.LINEAR.option();
            case CHANNEL_BLOCK -> "4";
            case CHANNEL_ATOMS -> {
                int side = Integer.parseInt(values.getOrDefault(CHANNEL_BLOCK, "4"));
                yield Integer.toString(side * side);
            }
            case RANK -> rank;
            case ALPHA -> values.getOrDefault(RANK, rank);
            case SIDE -> Oft.Side.INPUT.option();
            case BLOCK_SIZE -> Oft.Side.OUTPUT.option().equals(values.get(SIDE)) ? "8" : "1/4";
            case LAYERS -> choice.defaultLayers();
            case COMBINE_WITH -> "";
            case TRAIN_TEXT_ENCODER -> NO;
        };
    }

    /// @param name the option's or an older one
    public static Optional<MethodSetting> ofOption(String name) {
        return Stream.of(values()).filter(setting -> setting.names.contains(name)).findFirst();
    }

    /// The form in which values are stored and compared.
    /// @throws IllegalArgumentException for values that cannot be parsed
    String canonical(String value) {
        return switch (this) {
            case ATOMS, INNER_ATOMS, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK -> Integer.toString(parseInt(value));
            case SIDE -> Oft.Side.ofOption(value.strip()).option();
            case BLOCK_SIZE -> Oft.BlockSpec.parse(value).toString();
            case ALPHA -> format(parseDouble(value));
            case CODING -> CodingName.ofOption(value).option();
            case LAYERS -> LayerSelector.parse(value).toString();
            case COMBINE_WITH -> value.isEmpty() ? "" : MethodName.ofOption(value).option();
            case TRAIN_TEXT_ENCODER -> requireYesOrNo(value);
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
            throw new IllegalArgumentException(option() + ": expected a whole number, found " + value, e);
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
            throw new IllegalArgumentException(option() + ": expected a number, found " + value, e);
        }
    }

    private String requireYesOrNo(String value) {
        if (value.equals(YES) || value.equals(NO)) return value;
        throw new IllegalArgumentException(option() + ": expected " + YES + " or " + NO + ", found " + value);
    }
}
