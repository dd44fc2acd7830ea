package atomstudio.tuning.method;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a user chooses: a method, and settings that belong to it (or to what is trained beside it). Only what differs
/// from the defaults is kept, so that equal choices are equal.
public record MethodSettings(MethodName choice, Map<MethodSetting, String> chosen) {
    /// As many atoms as a 3×3 kernel has numbers: the paper's setting.
    public static final int DEFAULT_ATOMS = 9;
    public static final int DEFAULT_RANK = 4;

    /// The methods, by their names on the command line and in the window, with the training that suits the default
    /// model, as found by experiment (docs/experiments.md). On Stable Diffusion itself smaller rates and more steps
    /// are usual: LoRA 1e-4, textual inversion 5e-4.
    public enum MethodName {
        ATOMS("atoms", "Filter atoms", 200, 3e-3, "conv3x3", MethodSetting.ATOMS, MethodSetting.CODING,
                MethodSetting.LAYERS),
        ATOMS_AND_WORD("atoms+word", "Atoms + word", 100, 1e-2, "conv3x3", MethodSetting.ATOMS, MethodSetting.CODING,
                MethodSetting.LAYERS),
        OVERCOMPLETE("overcomplete", "Overcomplete atoms", 100, 1e-2, "conv3x3", MethodSetting.ATOMS, MethodSetting.M1,
                MethodSetting.LAYERS),
        CHANNELS("channels", "Channel atoms", 60, 2e-3, "*", MethodSetting.CHANNEL_BLOCK, MethodSetting.CHANNEL_ATOMS,
                MethodSetting.LAYERS),
        ATOMS_AND_CHANNELS("atoms+channels", "Atoms + channels", 75, 5e-3, "*", MethodSetting.ATOMS,
                MethodSetting.CODING, MethodSetting.CHANNEL_BLOCK, MethodSetting.CHANNEL_ATOMS, MethodSetting.LAYERS),
        OVERCOMPLETE_AND_CHANNELS("overcomplete+channels", "Overcomplete + channels", 60, 1e-3, "*",
                MethodSetting.ATOMS, MethodSetting.M1, MethodSetting.CHANNEL_BLOCK, MethodSetting.CHANNEL_ATOMS,
                MethodSetting.LAYERS),
        LORA("lora", "LoRA", 60, 4e-3, "attention", MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.LAYERS),
        LOCON("locon", "LoCon", 100, 2e-3, "attention,conv", MethodSetting.RANK, MethodSetting.ALPHA,
                MethodSetting.LAYERS),
        LOHA("loha", "LoHa", 60, 2e-3, "attention", MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.LAYERS),
        LOKR("lokr", "LoKr", 60, 1e-2, "attention", MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.LAYERS),
        OFT("oft", "OFT", 60, 1e-3, "attention", MethodSetting.SIDE, MethodSetting.BLOCK, MethodSetting.LAYERS),
        DORA("dora", "DoRA", 60, 2e-3, "attention", MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.LAYERS),
        BITFIT("bitfit", "BitFit", 100, 3e-3, "*", MethodSetting.LAYERS),
        NORM("norm", "Norms only", 60, 1e-2, "*", MethodSetting.LAYERS),
        SSF("ssf", "SSF", 60, 2e-3, "*", MethodSetting.LAYERS),
        DIFFFIT("difffit", "DiffFit", 60, 1e-2, "*", MethodSetting.LAYERS),
        GLORA("glora", "GLoRA", 60, 2e-3, "attention", MethodSetting.RANK, MethodSetting.ALPHA, MethodSetting.LAYERS),
        TEXTUAL_INVERSION("textual-inversion", "Textual inversion", 100, 5e-3, "text_model.embeddings.token_embedding"),
        FULL("full", "Full fine-tuning", 60, 3e-5, "*", MethodSetting.LAYERS);

        private final String option;
        private final String displayName;
        private final int steps;
        private final double learningRate;
        private final String layers;
        private final List<MethodSetting> settings;

        MethodName(String option, String displayName, int steps, double learningRate, String layers,
                MethodSetting... settings) {
            this.option = option;
            this.displayName = displayName;
            this.steps = steps;
            this.learningRate = learningRate;
            this.layers = layers;
            this.settings = List.of(settings);
        }

        /// @throws IllegalArgumentException for an unknown name, listing the known ones
        public static MethodName ofOption(String option) {
            return Stream.of(values())
                    .filter(choice -> choice.option.equals(option))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "method " + option + ": expected one of " + methodNames()));
        }

        /// On the command line, in run folders and adapter files.
        public String option() {
            return option;
        }

        /// In the window and on sheets.
        public String displayName() {
            return displayName;
        }

        /// Training steps unless asked otherwise.
        public int steps() {
            return steps;
        }

        /// Learning rate unless asked otherwise.
        public double learningRate() {
            return learningRate;
        }

        /// The settings of the method itself, beside those that go with every method.
        public List<MethodSetting> settings() {
            return settings;
        }

        /// The list of layers unless asked otherwise.
        String layerList() {
            return layers;
        }

        LayerSelector layers() {
            return LayerSelector.parse(layers);
        }
    }

    public MethodSettings {
        Map<MethodSetting, String> overrides = new EnumMap<>(MethodSetting.class);
        chosen.forEach((setting, value) -> overrides.put(setting, setting.canonical(value)));
        overrides.keySet().retainAll(applicable(choice, overrides));
        for (MethodSetting setting : List.copyOf(overrides.keySet()))
            if (overrides.get(setting).equals(setting.defaultValue(choice, overrides))) overrides.remove(setting);
        overrides.keySet().retainAll(applicable(choice, overrides));
        chosen = Collections.unmodifiableMap(overrides);
    }

    public static MethodSettings of(MethodName choice) {
        return new MethodSettings(choice, Map.of());
    }

    /// As a user chose it.
    /// @throws IllegalArgumentException for a setting that does not belong to the method, saying which methods it
    ///     belongs to, and for values that it cannot have
    public static MethodSettings chosen(MethodName choice, Map<MethodSetting, String> chosen) {
        List<MethodSetting> applicable = applicable(choice, chosen);
        for (MethodSetting setting : chosen.keySet()) {
            if (!applicable.contains(setting))
                throw new IllegalArgumentException(
                        setting.option() + ": belongs to " + methodsWith(setting) + ", not to " + choice.option);
        }
        MethodSettings settings = new MethodSettings(choice, chosen);
        settings.method();
        return settings;
    }

    /// From a file; settings that do not belong to the method mean nothing.
    /// @throws Failure.Incompatible for an unknown method or setting, and for values that it cannot have
    public static MethodSettings parse(String name, Map<String, String> entries) throws Failure.Incompatible {
        try {
            Map<MethodSetting, String> chosen = new EnumMap<>(MethodSetting.class);
            entries.forEach((key,
                    value) -> chosen.put(MethodSetting.ofOption(key)
                            .orElseThrow(() -> new IllegalArgumentException(
                                    "setting " + key + " is not known; a newer version wrote it")),
                            value));
            MethodSettings settings = new MethodSettings(MethodName.ofOption(name), chosen);
            settings.method();
            return settings;
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible(
                    e.getMessage().startsWith("method ") ? e.getMessage() : "method " + name + ": " + e.getMessage());
        }
    }

    /// With one more thing chosen.
    public MethodSettings with(MethodSetting setting, String value) {
        Map<MethodSetting, String> changed = new EnumMap<>(MethodSetting.class);
        changed.putAll(chosen);
        changed.put(setting, value);
        return new MethodSettings(choice, changed);
    }

    /// Every setting that belongs to the method with its value, by name: what files store.
    public Map<String, String> entries() {
        Map<String, String> entries = new LinkedHashMap<>();
        for (MethodSetting setting : settings())
            if (!value(setting).isEmpty()) entries.put(setting.option(), value(setting));
        return Collections.unmodifiableMap(entries);
    }

    /// The settings that belong to this choice.
    public List<MethodSetting> settings() {
        return applicable(choice, chosen);
    }

    /// What is chosen, or else the default.
    public String value(MethodSetting setting) {
        String value = chosen.get(setting);
        return value == null ? setting.defaultValue(choice, chosen) : value;
    }

    /// The names that `parse` knows, for messages and help.
    public static String methodNames() {
        return Stream.of(MethodName.values()).map(MethodName::option).collect(Collectors.joining(", "));
    }

    public TuningMethod method() {
        List<TuningMethod> methods = new ArrayList<>(methods(choice, layers()));
        combinedWith().ifPresent(other -> methods.addAll(methods(other, other.layers())));
        if (trainsTextEncoder())
            methods.add(new RestrictedMethod(new Lora(rank(), alpha()), LayerSelector.TEXT_ATTENTION));
        return methods.size() == 1 ? methods.getFirst() : new CombinedMethods(methods);
    }

    private List<TuningMethod> methods(MethodName name, LayerSelector layers) {
        return switch (name) {
            case ATOMS -> List.of(new RestrictedMethod(filterAtoms(), layers));
            case ATOMS_AND_WORD -> List.of(new RestrictedMethod(filterAtoms(), layers), new TextualInversion(1));
            case OVERCOMPLETE -> List.of(new RestrictedMethod(overcomplete(), layers));
            case CHANNELS -> List.of(new RestrictedMethod(channels(), layers));
            case ATOMS_AND_CHANNELS ->
                    List.of(withoutPointwise(filterAtoms(), layers), new RestrictedMethod(channels(), layers));
            case OVERCOMPLETE_AND_CHANNELS ->
                    List.of(withoutPointwise(overcomplete(), layers), new RestrictedMethod(channels(), layers));
            case LORA, LOCON -> List.of(new RestrictedMethod(new Lora(rank(), alpha()), layers));
            case LOHA -> List.of(new RestrictedMethod(new Loha(rank(), alpha()), layers));
            case LOKR -> List.of(new RestrictedMethod(new Lokr(rank(), alpha()), layers));
            case OFT -> List.of(new RestrictedMethod(new Oft(Oft.Side.ofOption(value(MethodSetting.SIDE)),
                    Oft.BlockSpec.parse(value(MethodSetting.BLOCK))), layers));
            case DORA -> List.of(new RestrictedMethod(new Dora(rank(), alpha()), layers));
            case BITFIT -> List.of(new RestrictedMethod(new BitFit(), layers));
            case NORM -> List.of(new RestrictedMethod(new NormOnly(), layers));
            case SSF -> List.of(new RestrictedMethod(new Ssf(), layers));
            case DIFFFIT -> List.of(new RestrictedMethod(new DiffFit(), layers));
            case GLORA -> List.of(new RestrictedMethod(new Glora(rank(), alpha()), layers));
            case TEXTUAL_INVERSION -> List.of(new TextualInversion(1));
            case FULL -> List.of(new RestrictedMethod(new FullFineTuning(), layers));
        };
    }

    /// Filter atoms that leave the 1×1 convolutions to the channel atoms.
    private static TuningMethod withoutPointwise(TuningMethod filters, LayerSelector layers) {
        return new RestrictedMethod(new RestrictedMethod(filters, MethodName.ATOMS.layers()), layers);
    }

    /// Checks the layers that were chosen against a model's.
    /// @throws Failure.Incompatible when an item names nothing that the method can tune, when two methods meet on a
    ///     layer, or when nothing is left to tune
    public void check(String model, List<Layer> layers) throws Failure.Incompatible {
        List<TuningMethod> candidates = methods(choice, LayerSelector.ALL);
        List<Layer> tunable = layers.stream()
                .filter(layer -> candidates.stream().anyMatch(part -> part.tunes(layer)))
                .toList();
        List<String> unmatched = chosen.containsKey(MethodSetting.LAYERS) ? layers().unmatchedItems(tunable)
                : List.of();
        if (!unmatched.isEmpty()) {
            throw new Failure.Incompatible("layers " + String.join(",", unmatched) + ": matches nothing in " + model
                    + " that " + name() + " can tune; it could match " + LayerSelector.matchingNames(tunable));
        }
        try {
            if (method().parameterCount(layers) > 0) return;
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("method " + name() + ": " + e.getMessage());
        }
        throw new Failure.Incompatible(model + ": has no layers that method " + name() + " could tune"
                + (chosen.containsKey(MethodSetting.LAYERS)
                        ? " among " + layers() + "; it could match " + LayerSelector.matchingNames(tunable)
                        : "; choose another of " + methodNames()));
    }

    public String name() {
        return choice.option;
    }

    /// All that is trained together, by its names on the command line: `atoms`, `atoms+textual-inversion`,
    /// `lora+text-encoder`.
    public String combinedName() {
        return choice.option + combinedWith().map(other -> "+" + other.option).orElse("")
                + (trainsTextEncoder() ? "+" + MethodSetting.TEXT_ENCODER.option() : "");
    }

    /// The title of a combined name: `atoms+textual-inversion` is "Filter atoms + word". A name that this version
    /// does not know is its own title.
    public static String title(String combinedName) {
        Optional<MethodName> single = Stream.of(MethodName.values())
                .filter(choice -> choice.option.equals(combinedName))
                .findFirst();
        int plus = combinedName.lastIndexOf('+');
        if (single.isPresent() || plus < 0) return single.map(MethodName::displayName).orElse(combinedName);
        String last = combinedName.substring(plus + 1);
        String suffix = last.equals(MethodName.TEXTUAL_INVERSION.option) ? "word"
                : last.equals(MethodSetting.TEXT_ENCODER.option()) ? "text encoder" : title(last);
        return title(combinedName.substring(0, plus)) + " + " + suffix;
    }

    public String displayName() {
        return choice.displayName;
    }

    public int atoms() {
        return intValue(MethodSetting.ATOMS);
    }

    public int rank() {
        return intValue(MethodSetting.RANK);
    }

    private double alpha() {
        return Double.parseDouble(value(MethodSetting.ALPHA));
    }

    /// What of a choice trains a layer: each has a learning rate of its own.
    public enum LearningRateGroup { METHOD, ALSO, WORD, TEXT_ENCODER }

    /// @param layer that the choice tunes
    public LearningRateGroup learningRateGroup(Layer layer) {
        if (layer.name().equals(TextualInversion.TOKEN_EMBEDDING))
            return choice == MethodName.TEXTUAL_INVERSION ? LearningRateGroup.METHOD : LearningRateGroup.WORD;
        if (methods(choice, layers()).stream().anyMatch(part -> part.tunes(layer))) return LearningRateGroup.METHOD;
        boolean byOther = combinedWith().stream()
                .flatMap(other -> methods(other, other.layers()).stream())
                .anyMatch(part -> part.tunes(layer));
        return byOther ? LearningRateGroup.ALSO : LearningRateGroup.TEXT_ENCODER;
    }

    /// Whether a word is trained beside the method.
    public boolean trainsWord() {
        return choice == MethodName.ATOMS_AND_WORD || combinedWith().equals(Optional.of(MethodName.TEXTUAL_INVERSION));
    }

    /// The method that is trained beside this one.
    public Optional<MethodName> combinedWith() {
        return combinedWith(chosen);
    }

    /// Whether the text encoder is tuned with LoRA as well.
    public boolean trainsTextEncoder() {
        return MethodSetting.YES.equals(chosen.get(MethodSetting.TEXT_ENCODER));
    }

    private LayerSelector layers() {
        return LayerSelector.parse(value(MethodSetting.LAYERS)).orDefault(choice.layers());
    }

    private TuningMethod filterAtoms() {
        return switch (MethodSetting.CodingName.ofOption(value(MethodSetting.CODING))) {
            case LINEAR -> new FilterAtoms(atoms());
            case SPARSE -> new SparseAtoms(atoms());
        };
    }

    private OvercompleteAtoms overcomplete() {
        return new OvercompleteAtoms(atoms(), intValue(MethodSetting.M1));
    }

    private ChannelAtoms channels() {
        return new ChannelAtoms(intValue(MethodSetting.CHANNEL_BLOCK), intValue(MethodSetting.CHANNEL_ATOMS));
    }

    private int intValue(MethodSetting setting) {
        return Integer.parseInt(value(setting));
    }

    private static Optional<MethodName> combinedWith(Map<MethodSetting, String> chosen) {
        return Optional.ofNullable(chosen.get(MethodSetting.ALSO))
                .filter(name -> !name.isEmpty())
                .map(MethodName::ofOption);
    }

    /// What belongs to a method, to the one beside it, and to every method.
    private static List<MethodSetting> applicable(MethodName choice, Map<MethodSetting, String> chosen) {
        Stream<MethodSetting> secondMethod = combinedWith(chosen).stream()
                .flatMap(other -> other.settings.stream())
                .filter(setting -> setting != MethodSetting.LAYERS);
        Stream<MethodSetting> textEncoder = MethodSetting.YES.equals(chosen.get(MethodSetting.TEXT_ENCODER))
                ? Stream.of(MethodSetting.RANK, MethodSetting.ALPHA)
                : Stream.of();
        Stream<MethodSetting> always = Stream.of(MethodSetting.ALSO, MethodSetting.TEXT_ENCODER);
        return Stream.of(choice.settings.stream(), secondMethod, textEncoder, always)
                .flatMap(each -> each)
                .distinct()
                .sorted()
                .toList();
    }

    /// For messages: the methods that have a setting.
    private static String methodsWith(MethodSetting setting) {
        String owners = Stream.of(MethodName.values())
                .filter(choice -> choice.settings.contains(setting))
                .map(MethodName::option)
                .collect(Collectors.joining(", "));
        return setting == MethodSetting.RANK || setting == MethodSetting.ALPHA ? owners + " and --text-encoder"
                : owners;
    }
}
