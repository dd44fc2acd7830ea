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
    SIDE(List.of("side"), "Rotated side", "NAME",
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

    /// Stands for the value in the help.
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
            case COMBINE_WITH -> Stream
                    .concat(Stream.of(""),
                            Stream.of(MethodSettings.MethodName.values()).map(MethodSettings.MethodName::option))
                    .toList();
            case TRAIN_TEXT_ENCODER -> List.of(NO, YES);
            case ATOMS, INNER_ATOMS, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, BLOCK_SIZE -> List.of();
        };
    }

    /// The value unless asked otherwise, which may follow from other values.
    String defaultValue(MethodSettings.MethodName choice, Map<MethodSetting, String> chosen) {
        String rank = Integer.toString(MethodSettings.DEFAULT_RANK);
        return switch (this) {
            case ATOMS -> Integer.toString(MethodSettings.DEFAULT_ATOMS);
            case INNER_ATOMS -> "3";
            case CODING -> "linear";
            case CHANNEL_BLOCK -> "4";
            case CHANNEL_ATOMS -> {
                int side = Integer.parseInt(chosen.getOrDefault(CHANNEL_BLOCK, "4"));
                yield Integer.toString(side * side);
            }
            case RANK -> rank;
            case ALPHA -> chosen.getOrDefault(RANK, rank);
            case SIDE -> Oft.Side.INPUT.option();
            case BLOCK_SIZE -> Oft.Side.OUTPUT.option().equals(chosen.get(SIDE)) ? "8" : "1/4";
            case LAYERS -> choice.layerList();
            case COMBINE_WITH -> "";
            case TRAIN_TEXT_ENCODER -> NO;
        };
    }

    /// @param name the option's or an older one
    public static Optional<MethodSetting> ofOption(String name) {
        return Stream.of(values()).filter(setting -> setting.names.contains(name)).findFirst();
    }

    /// A value as it is kept and compared.
    String canonical(String value) {
        return switch (this) {
            case ATOMS, INNER_ATOMS, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK -> Integer.toString(parseInt(value));
            case SIDE -> Oft.Side.ofOption(value.strip()).option();
            case BLOCK_SIZE -> Oft.BlockSpec.parse(value).toString();
            case ALPHA -> format(parseDouble(value));
            case CODING -> CodingName.ofOption(value).name().toLowerCase(Locale.ROOT);
            case LAYERS -> LayerSelector.parse(value).toString();
            case COMBINE_WITH -> value.isEmpty() ? "" : MethodSettings.MethodName.ofOption(value).option();
            case TRAIN_TEXT_ENCODER -> requireYesOrNo(value);
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
            throw new IllegalArgumentException(option() + ": expected a whole number, found " + value, e);
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
            throw new IllegalArgumentException(option() + ": expected a number, found " + value, e);
        }
    }

    private String requireYesOrNo(String value) {
        if (value.equals(YES) || value.equals(NO)) return value;
        throw new IllegalArgumentException(option() + ": expected " + YES + " or " + NO + ", found " + value);
    }
}
