package atomstudio.tuning.interop;

import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.TuningMethod;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Kinds of adapters: the parameters of a layer, by [AdapterTensorKey#parameter], how supported kinds change the layer,
/// how those that are trained here are written, and how their training goes on. Kinds without a reader are rejected by
/// name.
/// Source: LyCORIS 4.1 and peft 0.21, their modules' state dictionaries.
public enum AdapterKind {
    LORA("LoRA", LowRankProduct::read, LowRankProduct::write, LowRankProduct::trained, AdapterKind.DOWN,
            AdapterKind.UP, LowRankProduct.MID),
    /// LoRA with norms, which any kind may have; only training has it as a kind.
    DORA("DoRA", LowRankProduct::trainedDora),
    LOHA("LoHa", LayerDelta::hadamard, LayerDelta::writeHadamard, LayerDelta::trainedHadamard, "hada_w1_a",
            "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"),
    LOKR("LoKr", KroneckerProduct::read, KroneckerProduct::write, KroneckerProduct::trained, "lokr_w1", "lokr_w1_a",
            "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"),
    /// Of norms as well.
    FULL_DIFF("full weight diffs", LayerDelta::fullDiff, LayerDelta::writeDiff, LayerDelta::trainedDiff,
            AdapterKind.DIFF),
    OFT("OFT", Rotation::readLycoris, Rotation::writeLycoris, Rotation::trained, AdapterKind.LYCORIS_BLOCKS,
            Rotation.LYCORIS_SCALE),
    PEFT_OFT("OFT of peft", Rotation::readPeft, Rotation::writePeft, Rotation::trained, Rotation.PEFT_OFT,
            Rotation.PEFT_OFT_SCALED, Rotation.PEFT_OFT_TERMS, Rotation.PEFT_OFT_LIMIT),
    PEFT_BOFT("BOFT of peft", Rotation::readPeftButterfly, Rotation::writePeftButterfly, Rotation::trainedButterfly,
            Rotation.PEFT_BOFT, Rotation.PEFT_BOFT_SCALE),
    GLORA("GLoRA", GloraFactors::read, GloraFactors::write, GloraFactors::trained, "a1.weight", "a2.weight",
            "b1.weight", "b2.weight", "bm.weight"),
    PEFT_GLORA("GLoRA of peft", GloraFactors::readTerms, AdapterKind::notWritten, GloraFactors::trainedTerms,
            gloraTermNames()),
    IA3("IA³", ChannelScale::read, ChannelScale::write, ChannelScale::trained, ChannelScale.ON_INPUT,
            ChannelScale.LYCORIS, ChannelScale.PEFT),
    VERA("VeRA", LowRankProduct::readVera, LowRankProduct::writeVera, LowRankProduct::trainedVera,
            AdapterKind.VERA_LAMBDA_D, LowRankProduct.VERA_B_SCALE, AdapterKind.VERA_A, AdapterKind.VERA_B),
    OLD_OFT("an OFT adapter of peft before 0.14", "oft_r"),
    ADALORA("an AdaLoRA adapter", "lora_E", "ranknum"),
    HRA("an HRA adapter", "hra_u"),
    TLORA("a T-LoRA adapter", "lambda_layer", "q_layer.weight", "p_layer.weight"),
    LORA_WITH_BIAS("a LoRA with biases", "lora_B.bias", "lora_up.bias"),
    /// GraLoRA, HiRA, MiSS, C³A, DeLoRA, FourierFT, WaveFT, RandLoRA, RoAd, SHiRA, VB-LoRA.
    OTHER_PEFT("an adapter of another method of peft", "gralora_A", "hira_A", "miss_block",
            "c3a_kernel", "delora_A", "fourierft_spectrum", "waveft_spectrum", "randlora_lambda", "road_theta",
            "shira_weight", "vblora_logits_A"),
    CUSTOM_DIFFUSION("a Custom Diffusion adapter", "to_k_custom_diffusion.weight", "to_v_custom_diffusion.weight"),
    REPLACED_WEIGHTS("an adapter that replaces weights", "set_weight", "reshape_weight");

    public static final String ALPHA = "alpha";
    public static final String DOWN = "lora_down.weight";
    public static final String UP = "lora_up.weight";
    public static final String VERA_LAMBDA_D = LowRankProduct.VERA_D;
    public static final String VERA_LAMBDA_B = LowRankProduct.VERA_B_SCALE;
    /// Of all layers of a file.
    public static final String VERA_A = LowRankProduct.VERA_A;
    public static final String VERA_B = LowRankProduct.VERA_B;
    static final String DIFF = "diff";
    public static final String DIFF_BIAS = "diff_b";
    /// The same of norms, as files name them.
    static final String NORM_DIFF = "w_norm";
    static final String NORM_DIFF_BIAS = "b_norm";
    public static final String PEFT_OFT_BLOCKS = Rotation.PEFT_OFT;
    public static final String PEFT_BOFT_BLOCKS = Rotation.PEFT_BOFT;
    /// Of LyCORIS' OFT (n, b, b) and BOFT (m, n, b, b).
    public static final String LYCORIS_BLOCKS = "oft_blocks";
    /// DoRA: of a layer with any kind of change.
    public static final String MAGNITUDE = "dora_scale";
    public static final String PEFT_MAGNITUDE = "lora_magnitude_vector";
    static final List<String> MAGNITUDES = List.of(MAGNITUDE, PEFT_MAGNITUDE);

    /// Reads a layer's change from its tensors.
    @FunctionalInterface
    interface DeltaReader {
        /// @throws IllegalArgumentException if the tensors do not fit the layer
        LayerDelta read(Layer layer, LayerTensors tensors);
    }

    /// The tensors of a layer that a method trained, by [AdapterTensorKey#parameter]; empty if the method is of another
    /// kind.
    @FunctionalInterface
    interface LayerWriter {
        Map<String, Tensor> write(Layer layer, TuningMethod method, Adaptation.AdapterParameters<Tensor> values);
    }

    /// Reads the layers of one kind as parameters of the method that trains it.
    @FunctionalInterface
    interface TrainingReader {
        /// @throws IllegalArgumentException if the method does not have a layer's form
        MethodSettings settings(TrainedLayers layers);
    }

    private final String title;
    private final Optional<DeltaReader> reader;
    private final LayerWriter writer;
    private final Optional<TrainingReader> trainingReader;
    private final Set<String> parameterNames;

    AdapterKind(String title, DeltaReader reader, LayerWriter writer, TrainingReader trainingReader,
            String... parameterNames) {
        this(title, Optional.of(reader), writer, Optional.of(trainingReader), parameterNames);
    }

    AdapterKind(String title, TrainingReader trainingReader) {
        this(title, Optional.empty(), AdapterKind::notWritten, Optional.of(trainingReader));
    }

    /// An unsupported kind.
    AdapterKind(String title, String... parameterNames) {
        this(title, Optional.empty(), AdapterKind::notWritten, Optional.empty(), parameterNames);
    }

    AdapterKind(String title, Optional<DeltaReader> reader, LayerWriter writer,
            Optional<TrainingReader> trainingReader, String... parameterNames) {
        this.title = title;
        this.reader = reader;
        this.writer = writer;
        this.trainingReader = trainingReader;
        this.parameterNames = Set.of(parameterNames);
    }

    /// For messages.
    public String title() {
        return title;
    }

    /// The change of a layer's weight; empty if the tensors change none.
    /// @throws IllegalArgumentException if the tensors are of two kinds, or do not fit the layer
    static Optional<LayerDelta> read(Layer layer, LayerTensors tensors) {
        List<AdapterKind> kinds = supported().filter(kind -> tensors.hasAny(kind.parameterNames)).toList();
        if (kinds.size() > 1) {
            String found = kinds.stream().map(kind -> kind.title).collect(Collectors.joining(" and "));
            throw new IllegalArgumentException("expected parameters of one kind, found " + found);
        }
        return kinds.stream().findFirst().map(kind -> kind.reader.orElseThrow().read(layer, tensors));
    }

    /// The kind as which a layer's training can go on; empty for a bias beside another change, and for norms beside
    /// another than LoRA.
    static Optional<AdapterKind> trained(Set<String> parameterNames) {
        AdapterKind kind = supported().filter(each -> each.parameterNames.stream().anyMatch(parameterNames::contains))
                .findFirst()
                .orElse(FULL_DIFF); // a bias alone
        if (parameterNames.contains(DIFF_BIAS) && kind != FULL_DIFF) return Optional.empty();
        if (MAGNITUDES.stream().noneMatch(parameterNames::contains)) return Optional.of(kind);
        return kind == LORA ? Optional.of(DORA) : Optional.empty();
    }

    /// The method of layers that are of this kind, with its settings.
    MethodSettings trained(TrainedLayers layers) {
        return trainingReader.orElseThrow().settings(layers);
    }

    private static Map<String, Tensor> notWritten(Layer layer, TuningMethod method,
            Adaptation.AdapterParameters<Tensor> values) {
        return Map.of();
    }

    /// A trained layer in the form of its kind.
    /// @param tensors by [AdapterTensorKey#parameter]
    public record WrittenLayer(AdapterKind kind, Map<String, Tensor> tensors) {}

    /// Empty if no kind has the method's formula.
    /// @param method of the layer ([TuningMethod#methodFor])
    /// @param values its parameters
    public static Optional<WrittenLayer> write(Layer layer, TuningMethod method,
            Adaptation.AdapterParameters<Tensor> values) {
        return Stream.of(values())
                .map(kind -> new WrittenLayer(kind, kind.writer.write(layer, method, values)))
                .filter(written -> !written.tensors.isEmpty())
                .findFirst();
    }

    /// Each of the terms A to E is a product, a vector or scalar, or a zero.
    private static String[] gloraTermNames() {
        return Stream.of("A", "B", "C", "D", "E")
                .flatMap(term -> Stream.of("Xd", "Xu", "X", "zeros").map(part -> "glora_" + term + "." + part))
                .toArray(String[]::new);
    }

    private static Stream<AdapterKind> supported() {
        return Stream.of(values()).filter(kind -> kind.reader.isPresent());
    }

    static Tensor alpha(double alpha) {
        return Tensor.filled(Shape.of(), (float) alpha);
    }

    /// Parameter names of all kinds.
    static Stream<String> allParameterNames() {
        return Stream.concat(Stream.of(values()).flatMap(kind -> kind.parameterNames.stream()),
                Stream.of(ALPHA, DIFF_BIAS, MAGNITUDE, PEFT_MAGNITUDE));
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
        String article = titles.getFirst().matches("[IO].*") ? "an " : "a ";
        return article + String.join(" with ", titles)
                + (MAGNITUDES.stream().anyMatch(parameterNames::contains) ? " (DoRA)" : "");
    }

    /// The reason why a file cannot be read, if it has a tensor of an unsupported kind, and what to do instead.
    /// @param keys of the file's tensors
    public static Optional<String> unsupportedReason(Collection<String> keys) {
        for (AdapterKind kind : values()) {
            if (kind.reader.isPresent()) continue;
            Optional<String> key = keys.stream().filter(kind::matches).sorted().findFirst();
            if (key.isPresent()) {
                return Optional.of("is " + kind.title + ", which is not supported (it has " + SafeText.of(key.get())
                        + "); supported are LoRA, LoCon, DoRA, LoHa, LoKr, OFT, BOFT, GLoRA, IA³, VeRA and full weight "
                        + "diffs. Merge it into a checkpoint with the program that created it and use that as the "
                        + "model, or extract a LoRA from it there");
            }
        }
        return Optional.empty();
    }

    private boolean matches(String key) {
        String parameter = AdapterTensorKey.parse(key).map(AdapterTensorKey::parameter).orElse(key);
        return parameterNames.stream().anyMatch(name -> parameter.equals(name) || parameter.endsWith("." + name));
    }
}
