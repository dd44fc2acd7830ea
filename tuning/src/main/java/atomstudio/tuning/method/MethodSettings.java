package atomstudio.tuning.method;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.setting.OptionValue;
import atomstudio.tuning.setting.Setting;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A tuning method with its settings, and what is trained together with it. Only values that differ from the defaults
/// are stored, so that equal settings are equal records.
public record MethodSettings(MethodName choice, Map<MethodSetting, String> overrides) {
    /// The number of elements of a 3×3 kernel: the paper's setting.
    public static final int DEFAULT_ATOMS = 9;
    public static final int DEFAULT_RANK = 4;
    /// In combined names.
    private static final String TEXT_ENCODER = "text-encoder";
    private static final Set<Class<?>> LINEAR_ATOMS = Set.of(FilterAtoms.class, OvercompleteAtoms.class);
    /// Of LoRA on the text encoder.
    private static final List<MethodSetting> TEXT_ENCODER_SETTINGS = List.of(MethodSetting.RANK, MethodSetting.ALPHA,
            MethodSetting.SCALING, MethodSetting.RANK_PATTERN);

    public MethodSettings {
        Map<MethodSetting, String> canonical = new EnumMap<>(MethodSetting.class);
        overrides.forEach((setting, value) -> canonical.put(setting, setting.canonical(value)));
        canonical.keySet().retainAll(applicable(choice, canonical));
        for (MethodSetting setting : List.copyOf(canonical.keySet()))
            if (canonical.get(setting).equals(setting.defaultValue(choice, canonical))) canonical.remove(setting);
        canonical.keySet().retainAll(applicable(choice, canonical));
        overrides = Collections.unmodifiableMap(canonical);
    }

    public static MethodSettings of(MethodName choice) {
        return new MethodSettings(choice, Map.of());
    }

    /// From user input.
    /// @throws IllegalArgumentException for a setting that the method does not have, naming the methods that have it,
    ///     and for invalid values
    public static MethodSettings of(MethodName choice, Map<MethodSetting, String> values) {
        List<MethodSetting> applicable = applicable(choice, values);
        for (MethodSetting setting : values.keySet()) {
            if (!applicable.contains(setting))
                throw new IllegalArgumentException(
                        setting.option() + ": belongs to " + methodsWith(setting) + ", not to " + choice.option());
        }
        return new MethodSettings(choice, values).validated();
    }

    /// From a file; settings that the method does not have are ignored.
    /// @throws Failure.Incompatible for an unknown method or setting, and for invalid values
    public static MethodSettings parse(String name, Map<String, String> entries) throws Failure.Incompatible {
        try {
            Map<MethodSetting, String> values = new EnumMap<>(MethodSetting.class);
            Map<MethodSetting, String> keys = new EnumMap<>(MethodSetting.class);
            for (Map.Entry<String, String> entry : entries.entrySet()) {
                MethodSetting setting = MethodSetting.ofOption(entry.getKey())
                        .orElseThrow(() -> new IllegalArgumentException(
                                "setting " + entry.getKey() + " is not known; a newer version wrote it"));
                String otherKey = keys.put(setting, entry.getKey());
                if (otherKey != null)
                    throw new IllegalArgumentException(otherKey + " and " + entry.getKey()
                            + " are names of the same setting; remove one of them");
                values.put(setting, entry.getValue());
            }
            return new MethodSettings(MethodName.ofOption(name), values).validated();
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible(
                    e.getMessage().startsWith("method ") ? e.getMessage() : "method " + name + ": " + e.getMessage());
        }
    }

    /// The constructors of the methods check the values.
    private MethodSettings validated() {
        method();
        return this;
    }

    public MethodSettings with(MethodSetting setting, String value) {
        Map<MethodSetting, String> changed = new EnumMap<>(MethodSetting.class);
        changed.putAll(overrides);
        changed.put(setting, value);
        return new MethodSettings(choice, changed);
    }

    /// Every setting of the method with its value, by name, as files store them.
    public Map<String, String> entries() {
        Map<String, String> entries = new LinkedHashMap<>();
        for (MethodSetting setting : settings())
            if (!value(setting).isEmpty()) entries.put(setting.option(), value(setting));
        return Collections.unmodifiableMap(entries);
    }

    /// The settings that apply here: the method's own, those of what is trained with it, and the general ones.
    public List<MethodSetting> settings() {
        return applicable(choice, overrides);
    }

    /// The value that is set, or the default.
    public String value(MethodSetting setting) {
        String value = overrides.get(setting);
        return value == null ? setting.defaultValue(choice, overrides) : value;
    }

    public <E extends Enum<E> & OptionValue> E value(MethodSetting setting, Class<E> type) {
        return OptionValue.ofOption(type, value(setting)).orElseThrow();
    }

    /// The method itself, with everything that is trained together with it.
    public TuningMethod method() {
        List<TuningMethod> methods = new ArrayList<>(choice.methods(this, layers()));
        combinedWith().ifPresent(other -> methods.addAll(other.methods(this, other.layers())));
        if (trainsTextEncoder())
            methods.add(new RestrictedMethod(RankedMethod.of(this, Lora::new), LayerSelector.TEXT_ATTENTION));
        return methods.size() == 1 ? methods.getFirst() : new CombinedMethods(methods);
    }

    /// Checks the selected layers against a model's layers.
    /// @throws Failure.Incompatible when an item of the selection matches no layer that the method supports, when two
    ///     methods target the same layer, or when no layer is left
    public void check(String model, List<Layer> layers) throws Failure.Incompatible {
        List<TuningMethod> methods = choice.methods(this, LayerSelector.ALL);
        List<Layer> supported = layers.stream()
                .filter(layer -> methods.stream().anyMatch(method -> method.tunes(layer)))
                .toList();
        boolean selectsLayers = overrides.containsKey(MethodSetting.LAYERS) && !supported.isEmpty();
        List<String> unmatched = selectsLayers ? layers().unmatchedItems(supported) : List.of();
        if (!unmatched.isEmpty()) {
            throw new Failure.Incompatible("layers " + String.join(",", unmatched) + ": matches no layer of " + model
                    + " that " + name() + " supports; expected some of " + LayerSelector.matchingNames(supported));
        }
        for (RankPattern.Entry entry : RankPattern.parse(value(MethodSetting.RANK_PATTERN)).entries())
            entry.layers()
                    .requireMatches("rank-pattern", model,
                            layers.stream().filter(method()::tunes).toList());
        try {
            checkAtoms(model, layers);
            if (method().parameterCount(layers) > 0) return;
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("method " + name() + ": " + e.getMessage());
        }
        throw new Failure.Incompatible(model + ": has no layers that method " + name() + " supports"
                + (selectsLayers
                        ? " among " + layers() + "; expected some of " + LayerSelector.matchingNames(supported)
                        : "; choose another of " + MethodName.options()));
    }

    /// Linear coding has at most k² atoms on k × k kernels; smaller kernels than the largest have fewer.
    private void checkAtoms(String model, List<Layer> layers) {
        TuningMethod method = method();
        layers.stream()
                .filter(layer -> method.tunes(layer) && LINEAR_ATOMS.contains(method.methodFor(layer).getClass()))
                .mapToLong(Layer::kernelSize)
                .max()
                .ifPresent(largest -> LinearCoding.requireAtomCount(atoms(), largest * largest,
                        " on the " + largest + "×" + largest + " kernels of " + model));
    }

    public String name() {
        return choice.option();
    }

    /// Everything that is trained together, by its names on the command line: `atoms`, `atoms+textual-inversion`,
    /// `lora+text-encoder`.
    public String combinedName() {
        return choice.option() + combinedWith().map(other -> "+" + other.option()).orElse("")
                + (trainsTextEncoder() ? "+" + TEXT_ENCODER : "");
    }

    /// The title of a combined name: `atoms+textual-inversion` is "Filter atoms + word". An unknown name is its own
    /// title.
    public static String title(String combinedName) {
        Optional<MethodName> single = Stream.of(MethodName.values())
                .filter(method -> method.option().equals(combinedName))
                .findFirst();
        int plus = combinedName.lastIndexOf('+');
        if (single.isPresent() || plus < 0) return single.map(MethodName::displayName).orElse(combinedName);
        String last = combinedName.substring(plus + 1);
        String suffix = last.equals(MethodName.TEXTUAL_INVERSION.option()) ? "word"
                : last.equals(TEXT_ENCODER) ? "text encoder" : title(last);
        return title(combinedName.substring(0, plus)) + " + " + suffix;
    }

    public String displayName() {
        return choice.displayName();
    }

    public int atoms() {
        return intValue(MethodSetting.ATOMS);
    }

    public int rank() {
        return intValue(MethodSetting.RANK);
    }

    /// α of a layer with a rank, as files have it: the update is scaled by α / rank.
    public double alpha(long layerRank) {
        return value(MethodSetting.SCALING, RankedMethod.Scaling.class).alpha(alpha() * layerRank / rank(), layerRank);
    }

    double alpha() {
        return Double.parseDouble(value(MethodSetting.ALPHA));
    }

    int intValue(MethodSetting setting) {
        return Integer.parseInt(value(setting));
    }

    /// Parameter groups with a learning rate each: the method, the one combined with it, a word, the text encoder.
    public enum LearningRateGroup { METHOD, COMBINED_METHOD, WORD, TEXT_ENCODER }

    /// @param layer a target of these settings
    public LearningRateGroup learningRateGroup(Layer layer) {
        if (layer.name().equals(TextualInversion.TOKEN_EMBEDDING))
            return choice == MethodName.TEXTUAL_INVERSION ? LearningRateGroup.METHOD : LearningRateGroup.WORD;
        if (choice.methods(this, layers()).stream().anyMatch(method -> method.tunes(layer)))
            return LearningRateGroup.METHOD;
        boolean byOther = combinedWith().stream()
                .flatMap(other -> other.methods(this, other.layers()).stream())
                .anyMatch(method -> method.tunes(layer));
        return byOther ? LearningRateGroup.COMBINED_METHOD : LearningRateGroup.TEXT_ENCODER;
    }

    /// Whether an embedding is trained in addition to the method.
    public boolean trainsWord() {
        return choice == MethodName.ATOMS_AND_WORD || combinedWith().equals(Optional.of(MethodName.TEXTUAL_INVERSION));
    }

    /// The second method, trained together with the first.
    public Optional<MethodName> combinedWith() {
        return combinedWith(overrides);
    }

    /// Whether LoRA is trained on the text encoder as well.
    public boolean trainsTextEncoder() {
        return trainsTextEncoder(overrides);
    }

    private LayerSelector layers() {
        return LayerSelector.parse(value(MethodSetting.LAYERS)).orDefault(choice.layers());
    }

    private static Optional<MethodName> combinedWith(Map<MethodSetting, String> values) {
        return Optional.ofNullable(values.get(MethodSetting.COMBINE_WITH))
                .filter(name -> !name.isEmpty())
                .map(MethodName::ofOption);
    }

    private static boolean trainsTextEncoder(Map<MethodSetting, String> values) {
        return Setting.YES.equals(values.get(MethodSetting.TRAIN_TEXT_ENCODER));
    }

    private static List<MethodSetting> applicable(MethodName choice, Map<MethodSetting, String> values) {
        Stream<MethodSetting> secondMethod = combinedWith(values).stream()
                .flatMap(other -> other.settings().stream())
                .filter(setting -> setting != MethodSetting.LAYERS);
        Stream<MethodSetting> textEncoder = trainsTextEncoder(values)
                ? TEXT_ENCODER_SETTINGS.stream()
                : Stream.of();
        Stream<MethodSetting> always = Stream.of(MethodSetting.COMBINE_WITH, MethodSetting.TRAIN_TEXT_ENCODER);
        return Stream.of(choice.settings().stream(), secondMethod, textEncoder, always)
                .flatMap(each -> each)
                .distinct()
                .sorted()
                .toList();
    }

    /// The methods that have a setting, for messages.
    private static String methodsWith(MethodSetting setting) {
        String methods = Stream.of(MethodName.values())
                .filter(method -> method.settings().contains(setting))
                .map(MethodName::option)
                .collect(Collectors.joining(", "));
        return TEXT_ENCODER_SETTINGS.contains(setting) ? methods + " and a trained text encoder"
                : methods;
    }
}
