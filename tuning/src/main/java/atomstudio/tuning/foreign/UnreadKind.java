package atomstudio.tuning.foreign;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Kinds of adapters that cannot be read, told from the names of their tensors.
public enum UnreadKind {
    DORA("a DoRA adapter", "dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.default.weight"),
    OFT("an OFT adapter", "oft_blocks", "oft_diag", "rescale", "oft_R", "oft_R.weight", "oft_r"),
    BOFT("a BOFT adapter", "boft_R", "boft_s"),
    GLORA("a GLoRA adapter", "a1.weight", "a2.weight", "b1.weight", "b2.weight"),
    IA3("an IA³ adapter", "on_input", "ia3_l"),
    ADALORA("an AdaLoRA adapter", "lora_E", "ranknum"),
    VERA("a VeRA adapter", "vera_lambda_b", "vera_lambda_d"),
    HRA("an HRA adapter", "hra_u"),
    LORA_WITH_BIAS("a LoRA with biases", "lora_B.bias", "lora_up.bias"),
    REPLACED_WEIGHTS("an adapter that replaces weights", "set_weight", "reshape_weight");

    private final String title;
    private final List<String> endings;

    UnreadKind(String title, String... endings) {
        this.title = title;
        this.endings = List.of(endings);
    }

    /// All endings of all kinds.
    static List<String> allEndings() {
        return Stream.of(values()).flatMap(kind -> kind.endings.stream()).toList();
    }

    /// The first kind of which a tensor is there.
    /// @param names of tensors in a file, or of one layer's numbers
    public static Optional<UnreadKind> of(Collection<String> names) {
        return Stream.of(values()).filter(kind -> names.stream().anyMatch(kind::has)).findFirst();
    }

    private boolean has(String name) {
        return endings.stream().anyMatch(ending -> name.equals(ending) || name.endsWith("." + ending));
    }

    /// For messages: what it is, and what can be done.
    public String refusal() {
        return "is " + title + ", which cannot be read; LoRA, LoCon, LoHa, LoKr and whole differences can. Merge it into a checkpoint with the program that made it and use that with --model, or extract a LoRA from it there";
    }
}
