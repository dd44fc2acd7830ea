package atomstudio.tuning.method;

import atomstudio.tuning.method.MethodSetting.LoraInit;
import atomstudio.tuning.setting.Setting;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The tuning methods that can be selected, with their default steps and learning rates: those found by experiment for
/// the embedded model (docs/experiments.md), and the published ones for Stable Diffusion.
public enum MethodName {
    ATOMS("atoms", "Filter atoms", "Smallest file: adjusts fine patterns, not how channels mix.",
            MethodCategory.FILTERS,
            new Defaults(200, 3e-3, 500, 1e-3, "conv3x3"), restricted(MethodName::filterAtoms), MethodSetting.ATOMS,
            MethodSetting.CODING, MethodSetting.LAYERS),
    ATOMS_AND_WORD("atoms+word", "Atoms + word", "Recommended: fine patterns, and a new word for the subject.",
            MethodCategory.FILTERS, new Defaults(100, 1e-2, 500, 1e-3, "conv3x3"),
            (settings, layers) -> List.of(new RestrictedMethod(filterAtoms(settings), layers),
                    textualInversion(settings)),
            MethodSetting.ATOMS, MethodSetting.CODING, MethodSetting.VECTORS, MethodSetting.LAYERS),
    OVERCOMPLETE("overcomplete", "Overcomplete atoms", "Higher capacity, for subjects that Filter atoms miss.",
            MethodCategory.FILTERS, new Defaults(100, 1e-2, 500, 1e-3, "conv3x3"),
            restricted(MethodName::overcompleteAtoms),
            MethodSetting.ATOMS, MethodSetting.INNER_ATOMS, MethodSetting.LAYERS),
    CHANNELS("channels", "Channel atoms", "Changes how channels mix, in 1×1 convolutions and linear layers.",
            MethodCategory.FILTERS, new Defaults(60, 2e-3, 500, 1e-3, "*"), restricted(MethodName::channelAtoms),
            MethodSetting.CHANNEL_BLOCK, MethodSetting.CHANNEL_ATOMS, MethodSetting.LAYERS),
    ATOMS_AND_CHANNELS("atoms+channels", "Atoms + channels", "Learns shape and colour, with more parameters.",
            MethodCategory.FILTERS, new Defaults(75, 5e-3, 500, 1e-3, "*"),
            (settings, layers) -> withChannelAtoms(filterAtoms(settings), settings, layers), MethodSetting.ATOMS,
            MethodSetting.CODING, MethodSetting.CHANNEL_BLOCK, MethodSetting.CHANNEL_ATOMS, MethodSetting.LAYERS),
    OVERCOMPLETE_AND_CHANNELS("overcomplete+channels", "Overcomplete + channels",
            "Highest capacity of the atom methods.", MethodCategory.FILTERS, new Defaults(60, 1e-3, 500, 1e-3, "*"),
            (settings, layers) -> withChannelAtoms(overcompleteAtoms(settings), settings, layers), MethodSetting.ATOMS,
            MethodSetting.INNER_ATOMS, MethodSetting.CHANNEL_BLOCK, MethodSetting.CHANNEL_ATOMS, MethodSetting.LAYERS),
    LORA("lora", "LoRA", "Standard: most programs read its file.", MethodCategory.LOW_RANK,
            new Defaults(60, 4e-3, 500, 1e-4, "attention"), restricted(MethodName::lora), MethodSetting.RANK,
            MethodSetting.ALPHA, MethodSetting.SCALING, MethodSetting.LORA_INIT, MethodSetting.RANK_PATTERN,
            MethodSetting.LAYERS),
    LOCON("locon", "LoCon", "LoRA on the convolutions too, for shapes and textures.", MethodCategory.LOW_RANK,
            new Defaults(100, 2e-3, 500, 1e-4, "attention,conv"), restricted(MethodName::lora), MethodSetting.RANK,
            MethodSetting.ALPHA, MethodSetting.SCALING, MethodSetting.LORA_INIT, MethodSetting.RANK_PATTERN,
            MethodSetting.LAYERS),
    LORA_FA("lora-fa", "LoRA-FA", "LoRA with a frozen random A: half the trained parameters.",
            MethodCategory.LOW_RANK, new Defaults(60, 4e-3, 500, 1e-4, "attention"),
            restricted(settings -> RankedMethod.of(settings, LoraFa::new)), MethodSetting.RANK, MethodSetting.ALPHA,
            MethodSetting.SCALING, MethodSetting.RANK_PATTERN, MethodSetting.LAYERS),
    LOHA("loha", "LoHa", "Hadamard product of two LoRAs: higher rank for as many parameters.",
            MethodCategory.LOW_RANK, new Defaults(60, 2e-3, 500, 1e-4, "attention"),
            restricted(settings -> RankedMethod.of(settings, Loha::new)), MethodSetting.RANK, MethodSetting.ALPHA,
            MethodSetting.SCALING, MethodSetting.RANK_PATTERN, MethodSetting.LAYERS),
    LOKR("lokr", "LoKr", "Kronecker product: higher rank for fewer parameters.", MethodCategory.LOW_RANK,
            new Defaults(60, 1e-2, 500, 1e-4, "attention"),
            restricted(MethodName::lokr), MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.FACTOR,
            MethodSetting.SCALING, MethodSetting.RANK_PATTERN, MethodSetting.LAYERS),
    OFT("oft", "OFT", "Rotates the inputs of filters; keeps their norms and the angles between them.",
            MethodCategory.ROTATIONS, new Defaults(60, 1e-3, 1000, 6e-5, "attention"), restricted(MethodName::oft),
            MethodSetting.SIDE, MethodSetting.BLOCK_SIZE, MethodSetting.RESCALED, MethodSetting.LAYERS),
    BOFT("boft", "BOFT", "OFT with butterfly factors: more channels mix, for fewer parameters.",
            MethodCategory.ROTATIONS, new Defaults(60, 1e-3, 1000, 6e-5, "attention"),
            restricted(settings -> rescaled(settings, new Boft(
                    Oft.BlockSpec.parse(settings.value(MethodSetting.BLOCK_SIZE)),
                    settings.intValue(MethodSetting.BUTTERFLY_FACTORS)))),
            MethodSetting.BLOCK_SIZE, MethodSetting.BUTTERFLY_FACTORS, MethodSetting.RESCALED, MethodSetting.LAYERS),
    DORA("dora", "DoRA", "LoRA with norm and direction separated; steadier, a little slower.",
            MethodCategory.ROTATIONS, new Defaults(60, 2e-3, 500, 1e-4, "attention"),
            restricted(settings -> RankedMethod.of(settings, Dora::new)), MethodSetting.RANK, MethodSetting.ALPHA,
            MethodSetting.SCALING, MethodSetting.RANK_PATTERN, MethodSetting.LAYERS),
    BITFIT("bitfit", "BitFit", "Biases only: very few parameters, a mild change.", MethodCategory.SCALES,
            new Defaults(100, 3e-3, 500, 1e-3, "*"), restricted(settings -> new BitFit()), MethodSetting.LAYERS),
    NORM("norm", "Norms only", "Normalization layers only: colours and contrast more than shape.",
            MethodCategory.SCALES, new Defaults(60, 1e-2, 500, 1e-3, "*"), restricted(settings -> new NormOnly()),
            MethodSetting.LAYERS),
    SSF("ssf", "SSF", "A scale and a shift after every layer.", MethodCategory.SCALES,
            new Defaults(60, 2e-3, 500, 1e-3, "*"), restricted(settings -> new Ssf()), MethodSetting.LAYERS),
    IA3("ia3", "IA³", "One scale per key, value and feed-forward channel: very few parameters.",
            MethodCategory.SCALES, new Defaults(100, 1e-2, 500, 3e-3, "*.to_k,*.to_v,*.ff.net.2"),
            restricted(settings -> new Ia3()), MethodSetting.LAYERS),
    DIFFFIT("difffit", "DiffFit", "Biases, norms and one scale per residual branch, made for diffusion models.",
            MethodCategory.SCALES, new Defaults(60, 1e-2, 500, 1e-3, "*"), restricted(settings -> new DiffFit()),
            MethodSetting.LAYERS),
    GLORA("glora", "GLoRA", "LoRA that also transforms the base weight.", MethodCategory.LOW_RANK,
            new Defaults(60, 2e-3, 500, 1e-4, "attention"),
            restricted(settings -> RankedMethod.of(settings, Glora::new)), MethodSetting.RANK, MethodSetting.ALPHA,
            MethodSetting.SCALING, MethodSetting.RANK_PATTERN, MethodSetting.LAYERS),
    GLORA_TERMS("glora-terms", "GLoRA, all terms",
            "GLoRA's five terms of weight and bias, each in a form of its own or one that is searched.",
            MethodCategory.LOW_RANK, new Defaults(60, 2e-3, 500, 1e-4, "attention"),
            restricted(MethodName::gloraTerms), MethodSetting.RANK, MethodSetting.STRUCTURE, MethodSetting.LAYERS),
    VERA("vera", "VeRA", "Scales of random matrices that all layers share: very few parameters.",
            MethodCategory.LOW_RANK, new Defaults(100, 1e-2, 500, 4e-3, "attention"),
            restricted(settings -> Vera.of(settings.rank(), settings.value(MethodSetting.PROJECTION_SEED))),
            MethodSetting.RANK, MethodSetting.PROJECTION_SEED, MethodSetting.LAYERS),
    T_LORA("t-lora", "T-LoRA", "LoRA of a lower rank where there is more noise, against overfitting.",
            MethodCategory.LOW_RANK, new Defaults(60, 4e-3, 500, 1e-4, "attention"),
            restricted(MethodName::tLora), MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.SCALING,
            MethodSetting.MIN_RANK, MethodSetting.ORTHOGONAL, MethodSetting.RANK_PATTERN, MethodSetting.LAYERS),
    SERIAL_ADAPTER("serial-adapter", "Serial adapter",
            "Small networks after attention and feed-forward layers. Only this program can use them.",
            MethodCategory.BRANCHES, new Defaults(60, 2e-3, 500, 1e-4, "*"),
            restricted(settings -> new SerialAdapter(settings.intValue(MethodSetting.BOTTLENECK))),
            MethodSetting.BOTTLENECK, MethodSetting.LAYERS),
    PARALLEL_ADAPTER("parallel-adapter", "Parallel adapter",
            "Small networks beside feed-forward layers (AdaptFormer). Only this program can use them.",
            MethodCategory.BRANCHES, new Defaults(60, 1e-2, 500, 1e-3, "*"),
            restricted(settings -> new ParallelAdapter(settings.intValue(MethodSetting.BOTTLENECK),
                    Double.parseDouble(settings.value(MethodSetting.ADAPTER_SCALE)))),
            MethodSetting.BOTTLENECK, MethodSetting.ADAPTER_SCALE, MethodSetting.LAYERS),
    TEXTUAL_INVERSION("textual-inversion", "Textual inversion",
            "New word (embedding); the model stays as it is. Combines with other methods.", MethodCategory.EMBEDDINGS,
            new Defaults(100, 5e-3, 3000, 5e-4, TextualInversion.TOKEN_EMBEDDING),
            (settings, layers) -> List.of(textualInversion(settings)), MethodSetting.VECTORS),
    FULL("full", "Full fine-tuning", "Every parameter: a file as large as the model, and the most memory.",
            MethodCategory.FULL, new Defaults(60, 3e-5, 1000, 5e-6, "*"), restricted(settings -> new FullFineTuning()),
            MethodSetting.LAYERS);

    private final String option;
    private final String displayName;
    private final String description;
    private final MethodCategory category;
    private final Defaults defaults;
    private final Factory factory;
    private final List<MethodSetting> settings;

    MethodName(String option, String displayName, String description, MethodCategory category, Defaults defaults,
            Factory factory, MethodSetting... settings) {
        this.option = option;
        this.displayName = displayName;
        this.description = description;
        this.category = category;
        this.defaults = defaults;
        this.factory = factory;
        this.settings = List.of(settings);
    }

    /// Of small models, and of large ones. Sources of the latter: kohya's and peft's LoRA examples (1e-4), diffusers'
    /// examples of textual inversion (5e-4, 3000 steps) and of DreamBooth with LoRA (500 steps), Ruiz et al. 2023
    /// (full fine-tuning: 5e-6, 1000 steps), Qiu et al. 2023 (OFT: 6e-5, 1000 steps), mkshing's DiffFit and BitFit
    /// (1e-3, 500 steps). None is published for filter atoms: DiffFit's, which has as few parameters.
    private record Defaults(int steps, double learningRate, int largeSteps, double largeLearningRate,
            String layers) {}

    /// Builds the methods that a name stands for: one, or several on different layers.
    @FunctionalInterface
    private interface Factory {
        List<TuningMethod> create(MethodSettings settings, LayerSelector layers);
    }

    private static Factory restricted(Function<MethodSettings, TuningMethod> method) {
        return (settings, layers) -> List.of(new RestrictedMethod(method.apply(settings), layers));
    }

    /// Atoms D on the convolutions larger than 1×1 and channel atoms Dc on the 1×1 convolutions and linear layers.
    private static List<TuningMethod> withChannelAtoms(TuningMethod atoms, MethodSettings settings,
            LayerSelector layers) {
        return List.of(new RestrictedMethod(new SpatialKernels(atoms), layers),
                new RestrictedMethod(channelAtoms(settings), layers));
    }

    private static TuningMethod filterAtoms(MethodSettings settings) {
        return switch (settings.value(MethodSetting.CODING, MethodSetting.CodingName.class)) {
            case LINEAR -> new FilterAtoms(settings.atoms());
            case SPARSE -> new SparseAtoms(settings.atoms());
        };
    }

    private static TuningMethod overcompleteAtoms(MethodSettings settings) {
        return new OvercompleteAtoms(settings.atoms(), settings.intValue(MethodSetting.INNER_ATOMS));
    }

    private static TuningMethod channelAtoms(MethodSettings settings) {
        return new ChannelAtoms(settings.intValue(MethodSetting.CHANNEL_BLOCK),
                settings.intValue(MethodSetting.CHANNEL_ATOMS));
    }

    private static TuningMethod textualInversion(MethodSettings settings) {
        return new TextualInversion(settings.intValue(MethodSetting.VECTORS));
    }

    private static TuningMethod lora(MethodSettings settings) {
        return RankedMethod.of(settings, switch (settings.value(MethodSetting.LORA_INIT, LoraInit.class)) {
            case KAIMING -> Lora::new;
            case PISSA -> Pissa::new;
        });
    }

    /// Layers with a lower rank than the smallest one keep theirs.
    private static TuningMethod tLora(MethodSettings settings) {
        int minRank = settings.intValue(MethodSetting.MIN_RANK);
        new TLora(settings.rank(), settings.alpha(), minRank);
        boolean orthogonal = settings.value(MethodSetting.ORTHOGONAL).equals(Setting.YES);
        return RankedMethod.of(settings,
                (rank, alpha) -> orthogonal ? new OrthogonalTLora(rank, alpha, Math.min(minRank, rank))
                        : new TLora(rank, alpha, Math.min(minRank, rank)));
    }

    private static TuningMethod gloraTerms(MethodSettings settings) {
        String structure = settings.value(MethodSetting.STRUCTURE);
        return structure.equals(GloraPattern.SUPERNET) ? new GloraSupernet(settings.rank())
                : new GloraTerms(settings.rank(), GloraPattern.parse(structure));
    }

    private static TuningMethod oft(MethodSettings settings) {
        return rescaled(settings, new Oft(settings.value(MethodSetting.SIDE, Oft.Side.class),
                Oft.BlockSpec.parse(settings.value(MethodSetting.BLOCK_SIZE))));
    }

    private static TuningMethod rescaled(MethodSettings settings, TuningMethod rotation) {
        return settings.value(MethodSetting.RESCALED).equals(Setting.YES) ? new RescaledRotation(rotation) : rotation;
    }

    private static TuningMethod lokr(MethodSettings settings) {
        int factor = settings.intValue(MethodSetting.FACTOR);
        return RankedMethod.of(settings, (rank, alpha) -> new Lokr(rank, alpha, factor));
    }

    /// @throws IllegalArgumentException for an unknown name, listing the known ones
    public static MethodName ofOption(String option) {
        return Stream.of(values())
                .filter(method -> method.option.equals(option))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "method " + option + ": expected one of " + options()));
    }

    /// All names, for messages and help.
    public static String options() {
        return Stream.of(values()).map(MethodName::option).collect(Collectors.joining(", "));
    }

    /// The name on the command line, in run folders and adapter files.
    public String option() {
        return option;
    }

    /// The name in the window and on comparison sheets.
    public String displayName() {
        return displayName;
    }

    /// What the method is for, in one line.
    public String description() {
        return description;
    }

    public MethodCategory category() {
        return category;
    }

    /// Default number of training steps on a model of this size.
    public int steps(ModelSize size) {
        return size == ModelSize.LARGE ? defaults.largeSteps : defaults.steps;
    }

    /// Default learning rate on a model of this size.
    public double learningRate(ModelSize size) {
        return size == ModelSize.LARGE ? defaults.largeLearningRate : defaults.learningRate;
    }

    /// Default number of training steps on a small model.
    public int steps() {
        return defaults.steps;
    }

    /// Default learning rate on a small model.
    public double learningRate() {
        return defaults.learningRate;
    }

    /// The method's own settings, without those that every method has.
    public List<MethodSetting> settings() {
        return settings;
    }

    /// The default target layers, as [LayerSelector] parses them.
    String defaultLayers() {
        return defaults.layers;
    }

    LayerSelector layers() {
        return LayerSelector.parse(defaults.layers);
    }

    List<TuningMethod> methods(MethodSettings settings, LayerSelector layers) {
        return factory.create(settings, layers);
    }
}
