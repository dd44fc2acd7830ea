package atomstudio.tuning.interop;

import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.ops.Layer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Kinds of adapters: the parameter names that identify each, and how supported kinds change a layer. Kinds without a
/// reader are rejected by name.
/// Source: LyCORIS 4.1 and peft 0.21, their modules' state dictionaries.
public enum AdapterKind {
    LORA("LoRA", LayerDelta::lowRank, LayerDelta.DOWN, LayerDelta.UP),
    LOHA("LoHa", LayerDelta::hadamard, "hada_w1_a"),
    LOKR("LoKr", LayerDelta::kronecker, "lokr_w1", "lokr_w1_a"),
    /// Of norms as well.
    FULL_DIFF("full weight diffs", LayerDelta::fullDiff, LayerDelta.DIFF),
    DORA("a DoRA adapter", "dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight",
            "lora_magnitude_vector.default.weight"),
    OFT("an OFT adapter", "oft_blocks", "oft_diag", "rescale", "oft_R", "oft_R.weight", "oft_r"),
    BOFT("a BOFT adapter", "boft_R", "boft_s"),
    GLORA("a GLoRA adapter", "a1.weight", "a2.weight", "b1.weight", "b2.weight", "bm.weight"),
    IA3("an IA³ adapter", "on_input", "ia3_l"),
    ADALORA("an AdaLoRA adapter", "lora_E", "ranknum"),
    VERA("a VeRA adapter", "vera_lambda_b", "vera_lambda_d"),
    HRA("an HRA adapter", "hra_u"),
    TLORA("a T-LoRA adapter", "lambda_layer", "q_layer.weight", "p_layer.weight"),
    LORA_WITH_BIAS("a LoRA with biases", "lora_B.bias", "lora_up.bias"),
    CUSTOM_DIFFUSION("a Custom Diffusion adapter", "to_k_custom_diffusion.weight", "to_v_custom_diffusion.weight"),
    REPLACED_WEIGHTS("an adapter that replaces weights", "set_weight", "reshape_weight");

    /// Reads a layer's change from its tensors.
    @FunctionalInterface
    interface DeltaReader {
        /// @throws IllegalArgumentException if the tensors do not fit the layer
        LayerDelta read(Layer layer, LayerDelta.LayerTensors tensors);
    }

    private final String title;
    private final Optional<DeltaReader> reader;
    private final Set<String> parameterNames;

    AdapterKind(String title, DeltaReader reader, String... parameterNames) {
        this.title = title;
        this.reader = Optional.of(reader);
        this.parameterNames = Set.of(parameterNames);
    }

    /// An unsupported kind.
    AdapterKind(String title, String... parameterNames) {
        this.title = title;
        this.reader = Optional.empty();
        this.parameterNames = Set.of(parameterNames);
    }

    /// The change of a layer's weight; empty if the tensors change none.
    /// @throws IllegalArgumentException if the tensors are of two kinds, or do not fit the layer
    static Optional<LayerDelta> read(Layer layer, LayerDelta.LayerTensors tensors) {
        List<AdapterKind> kinds = supported().filter(kind -> tensors.hasAny(kind.parameterNames)).toList();
        if (kinds.size() > 1) {
            String found = kinds.stream().map(kind -> kind.title).collect(Collectors.joining(" and "));
            throw new IllegalArgumentException("expected parameters of one kind, found " + found);
        }
        return kinds.stream().findFirst().map(kind -> kind.reader.orElseThrow().read(layer, tensors));
    }

    private static Stream<AdapterKind> supported() {
        return Stream.of(values()).filter(kind -> kind.reader.isPresent());
    }

    /// Parameter names of unsupported kinds.
    static List<String> unsupportedParameterNames() {
        return Stream.of(values())
                .filter(kind -> kind.reader.isEmpty())
                .flatMap(kind -> kind.parameterNames.stream())
                .toList();
    }

    /// The kind of a file with these tensors, for messages: `a LoRA`, `a LoKr with full weight diffs`.
    /// @param parameterNames by [AdapterTensorKey#parameter]
    public static String title(Collection<String> parameterNames) {
        List<String> titles = supported()
                .filter(kind -> kind.parameterNames.stream().anyMatch(parameterNames::contains))
                .map(kind -> kind.title)
                .toList();
        if (titles.isEmpty()) return "an adapter";
        if (titles.equals(List.of(FULL_DIFF.title))) return "an adapter of " + FULL_DIFF.title;
        return "a " + String.join(" with ", titles);
    }

    /// The reason why a file cannot be read, if it has a tensor of an unsupported kind, and what to do instead.
    /// @param keys of the file's tensors
    public static Optional<String> unsupportedReason(Collection<String> keys) {
        for (AdapterKind kind : values()) {
            if (kind.reader.isPresent()) continue;
            Optional<String> key = keys.stream().filter(kind::matches).sorted().findFirst();
            if (key.isPresent()) {
                return Optional.of("is " + kind.title + ", which is not supported (it has " + SafeText.of(key.get())
                        + "); supported are LoRA, LoCon, LoHa, LoKr and full weight diffs."
                        + " Merge it into a checkpoint with the program that created it and use that as the model, "
                        + "or extract a LoRA from it there");
            }
        }
        return Optional.empty();
    }

    private boolean matches(String key) {
        String parameter = AdapterTensorKey.parse(key).map(AdapterTensorKey::parameter).orElse(key);
        return parameterNames.stream().anyMatch(name -> parameter.equals(name) || parameter.endsWith("." + name));
    }
}
