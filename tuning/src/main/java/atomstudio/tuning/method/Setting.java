package atomstudio.tuning.method;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// One thing that can be chosen about a method, by its name on the command line and in files.
public enum Setting {
    ATOMS("atoms", "M", "Filter atoms a layer: 1 to 9, with sparse coding also more."),
    M1("m1", "N", "Inner atoms that each overcomplete atom is made of."),
    CODING("coding", "NAME", "How filter atoms are found: linear (exact, nothing stored) or sparse (the paper's)."),
    CHANNEL_BLOCK("channel-block", "K", "Side of a channel block."),
    CHANNEL_ATOMS("channel-atoms", "M", "Channel atoms a layer: 1 to the block's side squared."),
    RANK("rank", "R", "Rank of the low-rank matrices."),
    ALPHA("alpha", "X", "What is tuned counts alpha / rank times; usually the rank itself."),
    SIDE("side", "NAME", "Which channels of a layer are rotated: input (the paper's, peft's) or output (LyCORIS')."),
    BLOCK("block", "N", "Channels that are rotated together: a number, or a share of the layer's as in 1/4, which is the paper's."),
    LAYERS("layers", "LIST", "Comma list of conv3x3, conv, attention, linear, patterns over layer names, and up, which narrows to the up blocks."),
    ALSO("also", "METHOD", "A second method on other layers, trained together with the first."),
    TEXT_ENCODER("text-encoder", "YES", "LoRA on the text encoder's attention as well.");

    public static final String YES = "yes";
    public static final String NO = "no";

    private final String command;
    private final String label;
    private final String description;

    Setting(String command, String label, String description) {
        this.command = command;
        this.label = label;
        this.description = description;
    }

    /// On the command line (after `--`), in run folders and adapter files.
    public String command() {
        return command;
    }

    /// Stands for the value in help.
    public String label() {
        return label;
    }

    public String description() {
        return description;
    }

    /// What it can be where that is one of a few names, the usual one first; for layers the words that a list is made of; else empty.
    public List<String> names() {
        return switch (this) {
            case SIDE -> Stream.of(Oft.Side.values()).map(Oft.Side::command).toList();
            case CODING -> Stream.of(Coded.values()).map(coded -> coded.name().toLowerCase(Locale.ROOT)).toList();
            case LAYERS -> LayerChoice.WORDS;
            case ALSO -> Stream.concat(Stream.of(""), Stream.of(MethodSettings.Choice.values()).map(MethodSettings.Choice::command)).toList();
            case TEXT_ENCODER -> List.of(NO, YES);
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, BLOCK -> List.of();
        };
    }

    /// The value unless asked otherwise, which may follow from other values.
    String usual(MethodSettings.Choice choice, Map<Setting, String> chosen) {
        String rank = Integer.toString(MethodSettings.RANK);
        return switch (this) {
            case ATOMS -> Integer.toString(MethodSettings.ATOMS);
            case M1 -> "3";
            case CODING -> "linear";
            case CHANNEL_BLOCK -> "4";
            case CHANNEL_ATOMS -> {
                int side = Integer.parseInt(chosen.getOrDefault(CHANNEL_BLOCK, "4"));
                yield Integer.toString(side * side);
            }
            case RANK -> rank;
            case ALPHA -> chosen.getOrDefault(RANK, rank);
            case SIDE -> Oft.Side.INPUT.command();
            case BLOCK -> Oft.Side.OUTPUT.command().equals(chosen.get(SIDE)) ? "8" : "1/4";
            case LAYERS -> choice.list();
            case ALSO -> "";
            case TEXT_ENCODER -> NO;
        };
    }

    static Optional<Setting> named(String command) {
        return Stream.of(values()).filter(setting -> setting.command.equals(command)).findFirst();
    }

    /// A value as it is kept and compared.
    String canonical(String value) {
        return switch (this) {
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK -> Integer.toString(whole(value));
            case SIDE -> Oft.Side.of(value.strip()).command();
            case BLOCK -> Oft.Blocks.parse(value).toString();
            case ALPHA -> plain(number(value));
            case CODING -> Coded.of(value).name().toLowerCase(Locale.ROOT);
            case LAYERS -> LayerChoice.parse(value).toString();
            case ALSO -> value.isEmpty() ? "" : MethodSettings.Choice.named(value).command();
            case TEXT_ENCODER -> yesOrNo(value);
        };
    }

    /// How filter atoms are found.
    enum Coded {
        LINEAR, SPARSE;

        static Coded of(String name) {
            return Stream.of(values()).filter(coded -> coded.name().toLowerCase(Locale.ROOT).equals(name)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("coding: expected linear or sparse, found " + name));
        }
    }

    private int whole(String value) {
        try {
            return Integer.parseInt(value.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(command + ": expected a whole number, found " + value, e);
        }
    }

    /// Without a fraction where it has none: `4`, `0.5`.
    static String plain(double number) {
        return Double.isFinite(number) ? BigDecimal.valueOf(number).stripTrailingZeros().toPlainString() : Double.toString(number);
    }

    private double number(String value) {
        try {
            return Double.parseDouble(value.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(command + ": expected a number, found " + value, e);
        }
    }

    private String yesOrNo(String value) {
        if (value.equals(YES) || value.equals(NO)) return value;
        throw new IllegalArgumentException(command + ": expected " + YES + " or " + NO + ", found " + value);
    }
}
