package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.method.CombinedMethods;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.TextualInversion;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// File formats for the export of an adapter.
public enum ExportFormat implements AdapterWriter {
    /// Atom Studio's own format, which stores everything.
    ATOMSTUDIO("atomstudio", "for this program"),
    /// The rows of a textual inversion as an embedding: safetensors with one tensor (n, C), or (C) of one row, whose
    /// key is the word, which diffusers uses; in A1111, Forge and ComfyUI the file's name is the word.
    EMBEDDING("embedding", "the embedding for A1111, ComfyUI and diffusers"),
    /// The parameters of LoRA, LoHa, LoKr, DoRA, OFT of outputs, GLoRA, norms and biases with sd-scripts' and LyCORIS'
    /// keys, `lora_te_` for the text encoder.
    KOHYA("kohya", "trained parameters for A1111, Forge, ComfyUI and InvokeAI"),
    /// LoRA and DoRA with diffusers' keys.
    PEFT("peft", "LoRA or DoRA for diffusers"),
    /// LoRA, DoRA, LoHa, LoKr, OFT of inputs, BOFT, IA³ and VeRA with peft's configuration.
    PEFT_FOLDER("peft-folder", "a folder for peft"),
    /// Full weight diffs of any method, for programs that read LyCORIS files.
    DIFF("diff", "full weight diffs for A1111, Forge, ComfyUI and InvokeAI"),
    /// As `diff`, without weights of layers where only the bias is trained: ComfyUI and Forge read a bias alone, while
    /// A1111 and InvokeAI need a weight with it, which is zero in `diff`.
    DIFF_BIASES("diff-biases", "biases only for ComfyUI and Forge"),
    /// The weight changes of any method as LoRA of a limited rank.
    LOCON("locon", "an approximate LoRA for A1111, Forge, ComfyUI, InvokeAI and diffusers"),
    /// The base model with the adapter merged in, as one file of the LDM layout.
    MERGED("merged", "a merged model in one file for A1111, Forge and ComfyUI"),
    /// The same as a folder in diffusers' layout.
    MERGED_DIFFUSERS("merged-diffusers", "a merged model as a folder for diffusers"),
    /// The same as ONNX files with the names of diffusers' and optimum's exports.
    MERGED_ONNX("merged-onnx", "a merged model as a folder of ONNX files for ONNX Runtime");

    /// Of an approximate LoRA.
    public static final int DEFAULT_RANK = 32;
    private static final String LORA = "lora";
    private static final String BITFIT = "bitfit";
    private static final String DIFFFIT = "difffit";
    private static final String NORM = "norm";
    private static final String OFT = "oft";
    private static final String PISSA = "pissa";
    private static final String TEXTUAL_INVERSION = "textual-inversion";
    /// Methods whose parameters have a form in both LyCORIS and peft.
    private static final List<String> COMMON_METHODS = List.of(LORA, PISSA, "dora", "loha", "lokr");
    /// Further methods whose parameters have a form in peft.
    private static final List<String> PEFT_METHODS = List.of("boft", "ia3", "vera");

    private final String option;
    private final String description;

    ExportFormat(String option, String description) {
        this.option = option;
        this.description = description;
    }

    /// The formats that can store a method's parameters.
    public static List<ExportFormat> of(MethodSettings settings) {
        List<String> methodNames = methods(settings).stream().map(TuningMethod::name).toList();
        boolean hasEmbedding = methodNames.contains(TEXTUAL_INVERSION),
                hasLora = methodNames.contains(LORA);
        boolean hasOther = methodNames.stream().anyMatch(name -> !name.equals(TEXTUAL_INVERSION) && !name.equals(LORA)),
                hasBranches = addsBranches(settings); // no other format has a form for them
        Stream<ExportFormat> possible = Stream.of(values()).filter(format -> !hasBranches || !format.needsBaseModel());
        return possible.filter(format -> switch (format) {
            case ATOMSTUDIO -> true;
            case EMBEDDING -> hasEmbedding;
            case KOHYA -> hasAny(methodNames, COMMON_METHODS) || methodNames.contains("glora")
                    || methodNames.contains(OFT) && rotates(settings, Oft.Side.OUTPUT);
            case PEFT -> hasAny(methodNames, List.of(LORA, PISSA, "dora"));
            case PEFT_FOLDER -> hasAny(methodNames, COMMON_METHODS)
                    || hasAny(methodNames, PEFT_METHODS)
                    || methodNames.contains(OFT) && rotates(settings, Oft.Side.INPUT)
                            && !settings.value(MethodSetting.RESCALED).equals(Setting.YES);
            case DIFF -> hasOther;
            case LOCON -> hasOther && methodNames.stream()
                    .anyMatch(name -> !List.of(TEXTUAL_INVERSION, LORA, PISSA, BITFIT, NORM).contains(name));
            case MERGED, MERGED_DIFFUSERS, MERGED_ONNX ->
                    (hasOther || hasLora) && settings.choice() != MethodName.SSF; // adds biases to layers without one
            case DIFF_BIASES -> methodNames.contains(BITFIT) || methodNames.contains(DIFFFIT);
        }).toList();
    }

    private static List<TuningMethod> methods(MethodSettings settings) {
        return settings.method() instanceof CombinedMethods combined ? combined.methods() : List.of(settings.method());
    }

    private static boolean addsBranches(MethodSettings settings) {
        return methods(settings).stream().anyMatch(TuningMethod::isBranch);
    }

    private static boolean hasAny(List<String> methodNames, List<String> others) {
        return methodNames.stream().anyMatch(others::contains);
    }

    private static boolean rotates(MethodSettings settings, Oft.Side side) {
        return settings.value(MethodSetting.SIDE, Oft.Side.class) == side;
    }

    /// Completes the menu item "Export".
    public String description() {
        return description;
    }

    /// Whether an export needs the base model with the weights of the training.
    boolean needsBaseModel() {
        return switch (this) {
            case ATOMSTUDIO, EMBEDDING, KOHYA, PEFT, PEFT_FOLDER -> false;
            case DIFF, DIFF_BIASES, LOCON, MERGED, MERGED_DIFFUSERS, MERGED_ONNX -> true;
        };
    }

    /// Whether it is the base model with the adapter merged in.
    public boolean isMerged() { return this == MERGED || this == MERGED_DIFFUSERS || this == MERGED_ONNX; }

    /// The name of a new file or folder.
    public String fileName(String name) {
        return switch (this) {
            case ATOMSTUDIO -> name + ".safetensors";
            case MERGED_DIFFUSERS -> name + "-merged";
            case MERGED_ONNX -> name + "-onnx";
            case PEFT_FOLDER -> name + "-peft";
            default -> name + "-" + option + ".safetensors";
        };
    }

    /// The name on the command line.
    public String option() {
        return option;
    }

    /// @throws IllegalArgumentException for an unknown name, listing the known ones
    public static ExportFormat ofOption(String option) {
        return Stream.of(values())
                .filter(format -> format.option.equals(option))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "format: expected one of " + options() + ", found " + option));
    }

    static ExportFormat of(CompactExport.Target target) {
        return Stream.of(KOHYA, PEFT, PEFT_FOLDER)
                .filter(format -> format.compactTarget() == target)
                .findFirst()
                .orElseThrow();
    }

    /// Of the formats that keep the trained parameters.
    CompactExport.Target compactTarget() {
        return switch (this) {
            case KOHYA -> CompactExport.Target.KOHYA;
            case PEFT -> CompactExport.Target.DIFFUSERS;
            case PEFT_FOLDER -> CompactExport.Target.PEFT;
            default -> throw new IllegalStateException(option);
        };
    }

    public static String options() {
        return Stream.of(values()).map(ExportFormat::option).collect(Collectors.joining(", "));
    }

    /// The format for other programs that suits an adapter.
    static ExportFormat recommended(AdapterFile adapter) {
        List<AdaptedLayer> layers = adapter.layers()
                .stream()
                .filter(layer -> !layer.name().equals(TextualInversion.TOKEN_EMBEDDING))
                .toList();
        if (layers.isEmpty()) return adapter.embeddingToken().isPresent() ? EMBEDDING : ATOMSTUDIO;
        if (addsBranches(adapter.method())) return ATOMSTUDIO;
        return layers.stream().allMatch(layer -> COMMON_METHODS.contains(layer.method())) ? KOHYA : DIFF;
    }

    /// The outcome of an export.
    /// @param parameterCount elements in the file
    /// @param omitted        a message on what the file does not store; empty if it stores everything
    public record ExportResult(long parameterCount, Optional<String> omitted) {}

    /// Merged models are written in half precision, approximate LoRA with rank [#DEFAULT_RANK].
    @Override
    public ExportResult write(AdapterFile adapter, ExportBaseModel base, Path file) throws Failure {
        return switch (this) {
            case ATOMSTUDIO -> {
                adapter.write(file);
                yield new ExportResult(adapter.parameterCount(), Optional.empty());
            }
            case EMBEDDING -> embedding(adapter, file);
            case KOHYA, PEFT, PEFT_FOLDER -> new CompactExport(adapter, compactTarget()).write(base, file);
            case DIFF -> new WeightDiffExport(adapter, base, WeightDiffExport.UnchangedWeights.ZEROS).write(file);
            case DIFF_BIASES ->
                    new WeightDiffExport(adapter, base, WeightDiffExport.UnchangedWeights.OMITTED).write(file);
            case LOCON -> {
                LowRankExport.Budget budget = new LowRankExport.Budget.Rank(DEFAULT_RANK);
                LowRankExport export = LowRankExport.of(adapter, base, budget);
                yield export.write(export.plan(budget), file);
            }
            case MERGED, MERGED_DIFFUSERS, MERGED_ONNX -> {
                DiffusionModel model = base.openForMerging(adapter);
                yield merged(new MergedExport(model, base.mergedBefore(adapter, model),
                        List.of(new WeightedAdapter(adapter.toAdapter(adapter.trigger().text(), model), 1)),
                        MergedExport.Precision.HALF, base.torch()), file);
            }
        };
    }

    /// Writes a merged model in the layout of this format.
    /// @param target the file, or the folder
    public ExportResult merged(MergedExport export, Path target) throws Failure {
        return switch (this) {
            case MERGED_DIFFUSERS -> export.writeFolder(target, MergedExport.FolderLayout.DIFFUSERS);
            case MERGED_ONNX -> export.writeFolder(target, MergedExport.FolderLayout.ONNX);
            default -> export.writeFile(target);
        };
    }

    private static ExportResult embedding(AdapterFile adapter, Path file) throws Failure {
        Adapter.EmbeddingToken token = adapter.embeddingToken()
                .orElseThrow(() -> new Failure.Incompatible(
                        "format embedding: expected an adapter with a textual inversion, found one of method "
                                + adapter.method().name() + " without; export it as " + recommended(adapter).option));
        Tensor rows = adapter.values().get(AdapterFile.EMBEDDING_ROWS);
        Tensor stored = rows.shape().size(0) == 1 ? rows.reshape(Shape.of(rows.shape().size(1))) : rows;
        SafetensorsWriter.write(file, Map.of(token.token(), stored), Map.of("base.name", adapter.base().name(),
                "steps", Integer.toString(adapter.training().steps())));
        long otherLayers = adapter.layers()
                .stream()
                .filter(layer -> !layer.name().equals(TextualInversion.TOKEN_EMBEDDING))
                .count();
        return new ExportResult(rows.data().length, otherLayers == 0 ? Optional.empty()
                : Optional.of("Only the embedding is exported, without the " + otherLayers + " other layers."));
    }
}
