package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.CombinedMethods;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.TextualInversion;
import atomstudio.tuning.method.TuningMethod;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What an adapter can be written as.
public enum ExportFormat {
    /// Our own, which holds everything.
    ATOMSTUDIO("atomstudio", "for this program"),
    /// The rows of a textual inversion as other programs know embeddings: safetensors of one tensor (n,C) whose name
    /// is the word. diffusers takes the word from there; A1111, Forge and ComfyUI take the file's name for the word.
    EMBEDDING("embedding", "the word for A1111, ComfyUI and diffusers"),
    /// LoRA by the names of sd-scripts, with `lora_te_` for the text encoder.
    KOHYA("kohya", "LoRA for A1111, Forge, ComfyUI and InvokeAI"),
    /// LoRA by diffusers' own names.
    PEFT("peft", "LoRA for diffusers"),
    /// Any method's changes as whole differences, for all that read LyCORIS' files.
    DIFF("diff", "whole differences for A1111, Forge, ComfyUI and InvokeAI"),
    /// The same without the weights of layers whose bias alone is tuned: ComfyUI and Forge read a bias by itself,
    /// while A1111 and InvokeAI read it only beside a weight, which is all zeros in `diff`.
    DIFF_BIASES("diff-biases", "biases by themselves for ComfyUI and Forge");

    private static final String LORA = "lora";
    private static final String BITFIT = "bitfit";
    private static final String DIFFFIT = "difffit";
    private static final String TEXTUAL_INVERSION = "textual-inversion";

    private final String option;
    private final String description;

    ExportFormat(String option, String description) {
        this.option = option;
        this.description = description;
    }

    /// Those that have a place for what a method tunes.
    public static List<ExportFormat> of(MethodSettings method) {
        List<String> methodNames = method.method() instanceof CombinedMethods sum ? sum.methods().stream().map(TuningMethod::name).toList() : List.of(method.method().name());
        boolean hasEmbedding = methodNames.contains(TEXTUAL_INVERSION), hasLora = methodNames.contains(LORA), hasOther = methodNames.stream().anyMatch(part -> !part.equals(TEXTUAL_INVERSION) && !part.equals(LORA));
        return Stream.of(values()).filter(format -> switch (format) {
            case ATOMSTUDIO -> true;
            case EMBEDDING -> hasEmbedding;
            case KOHYA, PEFT -> hasLora;
            case DIFF -> hasOther;
            case DIFF_BIASES -> methodNames.contains(BITFIT) || methodNames.contains(DIFFFIT);
        }).toList();
    }

    /// After "Export".
    public String description() {
        return description;
    }

    /// On the command line.
    public String option() {
        return option;
    }

    /// @throws IllegalArgumentException for an unknown name, listing the known ones
    public static ExportFormat ofOption(String option) {
        return Stream.of(values()).filter(format -> format.option.equals(option)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("format: expected one of " + options() + ", found " + option));
    }

    static ExportFormat of(LoraExport.KeyStyle naming) {
        return switch (naming) {
            case KOHYA -> KOHYA;
            case PEFT -> PEFT;
        };
    }

    public static String options() {
        return Stream.of(values()).map(ExportFormat::option).collect(Collectors.joining(", "));
    }

    /// The format for other programs that has a place for what an adapter holds.
    static ExportFormat recommended(AdapterFile adapter) {
        List<AdaptedLayer> layers = adapter.layers().stream().filter(layer -> !layer.name().equals(TextualInversion.TOKEN_EMBEDDING)).toList();
        if (layers.isEmpty()) return adapter.embeddingToken().isPresent() ? EMBEDDING : ATOMSTUDIO;
        return layers.stream().allMatch(layer -> layer.method().equals("lora")) ? KOHYA : DIFF;
    }

    /// What was written.
    /// @param parameterCount in the file
    /// @param omitted    what of the adapter the file does not hold; empty when it holds all
    public record ExportResult(long parameterCount, Optional<String> omitted) {}

    /// @throws Failure.Incompatible when the format has no place for what the adapter holds
    /// @throws Failure.Unwritable when the disk is full; an old file is kept
    /// @param base of the adapter; looked at by formats that hold whole weights alone
    public ExportResult write(AdapterFile adapter, ExportBaseModel base, Path file) throws Failure {
        return switch (this) {
            case ATOMSTUDIO -> {
                adapter.write(file);
                yield new ExportResult(adapter.parameterCount(), Optional.empty());
            }
            case EMBEDDING -> embedding(adapter, file);
            case KOHYA -> new LoraExport(LoraExport.KeyStyle.KOHYA).write(adapter, file);
            case PEFT -> new LoraExport(LoraExport.KeyStyle.PEFT).write(adapter, file);
            case DIFF -> new WeightDiffExport(adapter, base, WeightDiffExport.UnchangedWeights.ZEROS).write(file);
            case DIFF_BIASES -> new WeightDiffExport(adapter, base, WeightDiffExport.UnchangedWeights.OMITTED).write(file);
        };
    }

    private static ExportResult embedding(AdapterFile adapter, Path file) throws Failure {
        Adapter.EmbeddingToken token = adapter.embeddingToken().orElseThrow(() -> new Failure.Incompatible(
                "format embedding: expected an adapter that holds rows of a textual inversion, found one of method " + adapter.method().name() + " without; export it as " + recommended(adapter).option));
        Tensor rows = adapter.values().get(AdapterFile.EMBEDDING_ROWS);
        SafetensorsWriter.write(file, Map.of(token.token(), rows), Map.of("base.name", adapter.base().name(), "steps", Integer.toString(adapter.training().steps())));
        long otherLayers = adapter.layers().stream().filter(layer -> !AdapterFile.EMBEDDING_ROWS.startsWith(layer.name() + ".")).count();
        return new ExportResult(rows.data().length, otherLayers == 0 ? Optional.empty() : Optional.of("The embedding alone is written; what was tuned in " + otherLayers + " other layers is not in it."));
    }
}
