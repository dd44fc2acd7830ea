package atomstudio.tuning.foreign;

import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.ops.Layer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Kinds of adapters: the numbers of a layer that tell each kind, and how they change the layer. Kinds without a law are refused by name.
/// Source: LyCORIS 4.1 and peft 0.21, their modules' state dictionaries.
public enum AdapterKind {
    LORA("LoRA", ForeignChange::product, ForeignChange.DOWN, ForeignChange.UP),
    LOHA("LoHa", ForeignChange::hadamard, "hada_w1_a"),
    LOKR("LoKr", ForeignChange::kronecker, "lokr_w1", "lokr_w1_a"),
    /// Of norms as well.
    DIFFERENCE("whole differences", ForeignChange::difference, ForeignChange.WEIGHT),
    DORA("a DoRA adapter", "dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.default.weight"),
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

    /// How numbers of this kind change a layer.
    @FunctionalInterface
    interface Law {
        /// @throws IllegalArgumentException that says why they make no change of this layer
        ForeignChange read(Layer layer, LayerNumbers numbers);
    }

    private final String title;
    private final Optional<Law> law;
    private final Set<String> names;

    AdapterKind(String title, Law law, String... names) {
        this.title = title;
        this.law = Optional.of(law);
        this.names = Set.of(names);
    }

    /// A kind that is refused.
    AdapterKind(String title, String... names) {
        this.title = title;
        this.law = Optional.empty();
        this.names = Set.of(names);
    }

    /// The change of a layer's weight; empty where the numbers make none.
    /// @throws IllegalArgumentException when they are of two kinds, or make no change of this layer
    static Optional<ForeignChange> read(Layer layer, LayerNumbers numbers) {
        List<AdapterKind> kinds = Stream.of(values()).filter(kind -> kind.law.isPresent() && numbers.any(kind.names)).toList();
        if (kinds.size() > 1) throw new IllegalArgumentException("expected numbers of one kind, found " + kinds.stream().map(kind -> kind.title).collect(Collectors.joining(" and ")));
        return kinds.stream().findFirst().map(kind -> kind.law.orElseThrow().read(layer, numbers));
    }

    /// What tensors of refused kinds are called.
    static List<String> refusedNames() {
        return Stream.of(values()).filter(kind -> kind.law.isEmpty()).flatMap(kind -> kind.names.stream()).toList();
    }

    /// What a file of these tensors is, for messages: `a LoRA`, `a LoKr with whole differences`.
    /// @param numbers as `TensorName` has them
    public static String title(Collection<String> numbers) {
        List<String> titles = Stream.of(values()).filter(kind -> kind.law.isPresent() && kind.names.stream().anyMatch(numbers::contains)).map(kind -> kind.title).toList();
        return titles.isEmpty() ? "an adapter" : titles.equals(List.of(DIFFERENCE.title)) ? "an adapter of " + DIFFERENCE.title : "a " + String.join(" with ", titles);
    }

    /// That a file cannot be read, where a tensor of a refused kind is in it: what it is, and what can be done.
    /// @param keys of the file's tensors
    public static Optional<String> refusal(Collection<String> keys) {
        for (AdapterKind kind : values()) {
            if (kind.law.isPresent()) continue;
            Optional<String> key = keys.stream().filter(kind::has).sorted().findFirst();
            if (key.isPresent()) {
                return Optional.of("is " + kind.title + ", which cannot be read (it has " + SafeText.of(key.get()) + "); LoRA, LoCon, LoHa, LoKr and whole differences can."
                        + " Merge it into a checkpoint with the program that made it and use that with --model, or extract a LoRA from it there");
            }
        }
        return Optional.empty();
    }

    private boolean has(String key) {
        String plain = TensorName.parse(key).map(TensorName::number).orElse(key);
        return names.stream().anyMatch(name -> plain.equals(name) || plain.endsWith("." + name));
    }
}
