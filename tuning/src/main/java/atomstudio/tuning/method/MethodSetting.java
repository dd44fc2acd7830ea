package atomstudio.tuning.method;

import static atomstudio.tuning.setting.SettingType.choice;
import static atomstudio.tuning.setting.SettingType.flag;
import static atomstudio.tuning.setting.SettingType.integer;
import static atomstudio.tuning.setting.SettingType.number;
import static atomstudio.tuning.setting.SettingType.oneOf;
import static atomstudio.tuning.setting.SettingType.parsed;

import atomstudio.tuning.setting.OptionValue;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.setting.SettingGroup;
import atomstudio.tuning.setting.SettingType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// A setting of a method: a row of the table of settings, with its default.
public enum MethodSetting implements Setting {
    ATOMS(row("Atoms", "", integer().labelled("M"),
            "Filter atoms per layer: 1 to k² of k × k kernels, 9 of 3×3; with sparse coding also more.",
            "atoms"), (_, _) -> Integer.toString(MethodSettings.DEFAULT_ATOMS)),
    INNER_ATOMS(row("Inner atoms", "", integer(), "Inner atoms per overcomplete atom.", "inner-atoms", "m1"),
            (_, _) -> "3"),
    CODING(row("Atom decomposition", "", oneOf(CodingName.class),
            "Decomposition of the filters into atoms: linear (exact, nothing stored) or sparse (the paper's).",
            "coding"), (_, _) -> CodingName.LINEAR.option()),
    CHANNEL_BLOCK(row("Channel block", "channels", integer().labelled("K"), "Side of a channel block.",
            "channel-block"), (_, _) -> "4"),
    CHANNEL_ATOMS(row("Channel atoms", "", integer().labelled("M"),
            "Channel atoms per layer: 1 to the block's side squared, which is the default.", "channel-atoms"),
            (_, values) -> {
                int side = Integer.parseInt(values.getOrDefault(CHANNEL_BLOCK, "4"));
                return Integer.toString(side * side);
            }),
    RANK(row("Rank", "", integer().labelled("R"), "Rank of the low-rank matrices. Default: 4, of vera 64.",
            "rank"),
            (method, _) -> Integer.toString(method == MethodName.VERA ? 64 : MethodSettings.DEFAULT_RANK)),
    ALPHA(row("Alpha", "", number().in("a number above 0", alpha -> alpha > 0 && Double.isFinite(alpha)),
            "The update is scaled by alpha / rank. Default: the rank.", "alpha"),
            (method, values) -> values.getOrDefault(RANK, RANK.defaultValue(method, values))),
    SCALING(row("Scaling", "", oneOf(RankedMethod.Scaling.class),
            "Scale of the update: standard (alpha / rank) or rank-stabilized (rsLoRA: alpha / √rank).", "scaling"),
            (_, _) -> RankedMethod.Scaling.STANDARD.option()),
    FACTOR(row("Factor", "", integer(),
            "Largest side of LoKr's small matrix, LyCORIS' factor and peft's decompose_factor; -1: no limit.",
            "factor"), (_, _) -> Integer.toString(Lokr.NO_FACTOR)),
    LORA_INIT(row("Initialization", "", oneOf(LoraInit.class),
            "Start of LoRA: kaiming (A random, B zero) or pissa (the weight's principal components).", "init"),
            (_, _) -> LoraInit.KAIMING.option()),
    MIN_RANK(row("Smallest rank", "", integer().labelled("R"),
            "Rank at the noisiest timestep, from which it rises to the whole rank. Default: half of it.", "min-rank"),
            (method, values) -> Integer.toString(
                    Math.max(1, Integer.parseInt(values.getOrDefault(RANK, RANK.defaultValue(method, values))) / 2))),
    ORTHOGONAL(row("Orthogonal start", "", flag(),
            "Start from random components that are orthogonal to each other, as the paper's T-LoRA, instead of LoRA's.",
            "orthogonal"), (_, _) -> Setting.NO),
    RANK_PATTERN(row("Ranks by layer", "",
            parsed("LIST", List.of(), "layers and ranks such as up_blocks.*=8;mid_block.*=2", RankPattern::parse),
            "Other ranks for some layers: items LAYERS=RANK separated by semicolons, as peft's rank_pattern; "
                    + "alpha / rank is the same for all.",
            "rank-pattern"), (_, _) -> ""),
    SIDE(row("Rotated channels", "", oneOf(Oft.Side.class),
            "Channels of a layer that are rotated: input (the paper's, peft's) or output (LyCORIS').", "side"),
            (_, _) -> Oft.Side.INPUT.option()),
    BLOCK_SIZE(row("Block size", "channels",
            parsed("N", List.of(), "a number of channels such as 8, or a share such as 1/4", Oft.BlockSpec::parse),
            "Channels that are rotated together: a number, or a share of the layer's such as 1/4, the paper's.",
            "block-size", "block"),
            (method, values) -> method == MethodName.BOFT
                    || Oft.Side.OUTPUT.option().equals(values.get(SIDE)) ? "8" : "1/4"),
    BUTTERFLY_FACTORS(row("Butterfly factors", "", integer().labelled("M"),
            "Factors of the rotation: each doubles the channels that are rotated together.", "butterfly-factors"),
            (_, _) -> "2"),
    RESCALED(row("Rescaled", "", flag(),
            "Also train a scale of each output, as LyCORIS' rescaled and peft's BOFT.", "rescaled"),
            (_, _) -> Setting.NO),
    PROJECTION_SEED(row("Seed of the projections", "",
            parsed("N", List.of(), "a whole number, or " + Vera.STORED, Vera::seed),
            "Of the random matrices that all layers share and that are not trained. Adapters of other programs have "
                    + "their own: " + Vera.STORED + ".",
            "projection-seed"),
            (_, _) -> "0"),
    BOTTLENECK(row("Bottleneck", "channels", integer().labelled("R"), "Width of an adapter's hidden layer.",
            "bottleneck"), (_, _) -> "16"),
    ADAPTER_SCALE(row("Scale of the adapter", "", number().in("a number above 0", s -> s > 0 && Double.isFinite(s)),
            "What parallel adapters add is scaled by this; 0.1 in AdaptFormer.", "adapter-scale"), (_, _) -> "0.1"),
    VECTORS(row("Vectors per token", "", integer().labelled("N"),
            "Learned embeddings that the word stands for, one after the other; several are prompt tuning.",
            "vectors"), (_, _) -> "1"),
    STRUCTURE(row("Structure", "",
            parsed("LIST", List.of(), "five letters such as lvnsv, or layers and such letters",
                    GloraPattern::canonical),
            "Forms of the terms A to E, five letters of l (low rank), v (vector), s (scalar) and n (none), or items "
                    + "LAYERS=LETTERS separated by semicolons; supernet trains all of them for `studio search`.",
            "structure"), (_, _) -> "llvvv"),
    LAYERS(row("Layers", "", parsed("LIST", LayerSelector.KEYWORDS, "a list of layers", LayerSelector::parse),
            "Comma-separated list of conv3x3, conv, attention, linear, patterns over layer names, and up, which "
                    + "restricts it to the up blocks. Default: the method's.",
            "layers"), (method, _) -> method.defaultLayers()),
    COMBINE_WITH(row("Combine with", "", choice("METHOD", List.of(),
            name -> name.isEmpty() ? "" : MethodName.ofOption(name).option()),
            "A second method on other layers, trained together with the first.", "combine-with", "also"),
            (_, _) -> ""),
    TRAIN_TEXT_ENCODER(row("Train text encoder (LoRA)", "", flag(),
            "Also train LoRA on the text encoder's attention.", "train-text-encoder", "text-encoder"),
            (_, _) -> Setting.NO);

    /// Decompositions W ≈ α · D into filter atoms.
    enum CodingName implements OptionValue { LINEAR, SPARSE }

    /// Initializations of LoRA.
    enum LoraInit implements OptionValue { KAIMING, PISSA }

    private final Row<?> row;
    private final BiFunction<MethodName, Map<MethodSetting, String>, String> defaultValue;

    /// @param defaultValue may depend on other values
    MethodSetting(Row<?> row, BiFunction<MethodName, Map<MethodSetting, String>, String> defaultValue) {
        this.row = row;
        this.defaultValue = defaultValue;
    }

    private static <T> Row<T> row(String title, String unit, SettingType<T> type, String help, String... names) {
        return new Row<>(SettingGroup.METHOD, List.of(names), title, unit, type, help);
    }

    @Override
    public Row<?> row() {
        return row;
    }

    String defaultValue(MethodName choice, Map<MethodSetting, String> values) {
        return defaultValue.apply(choice, values);
    }

    @Override
    public String commonDefault() {
        List<String> defaults = Stream.of(MethodName.values())
                .filter(method -> methods().isEmpty() || method.settings().contains(this))
                .map(method -> defaultValue(method, Map.of()))
                .distinct()
                .toList();
        return description().contains("Default:") || defaults.size() > 1 ? "" : defaults.getFirst();
    }

    @Override
    public List<String> methods() {
        if (this == LAYERS) return List.of();
        return Stream.of(MethodName.values())
                .filter(method -> method.settings().contains(this))
                .map(MethodName::option)
                .toList();
    }

    /// The methods are named here, not in the row: [MethodName] is initialized after the settings.
    @Override
    public List<String> allowedValues() {
        return this != COMBINE_WITH ? Setting.super.allowedValues()
                : Stream.concat(Stream.of(""), Stream.of(MethodName.values()).map(MethodName::option)).toList();
    }

    @Override
    public String describe(String value) {
        return this == COMBINE_WITH ? title() + " " + MethodName.ofOption(value).displayName()
                : Setting.super.describe(value);
    }

    /// @param name the option's or an older one
    public static Optional<MethodSetting> ofOption(String name) {
        return Stream.of(values()).filter(setting -> setting.names().contains(name)).findFirst();
    }

    /// The form in which values are stored and compared.
    /// @throws IllegalArgumentException for values that cannot be parsed
    public String canonical(String value) {
        return row.canonical(value);
    }
}
