package atomstudio.app.cli;

import atomstudio.app.export.AdapterExport;
import atomstudio.app.export.AdapterExport.IfExists;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.LowRankExport;
import atomstudio.tuning.export.MergedExport;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio export`: writes a run's adapter to one file.
@Command(
        name = "export",
        description = "Writes a run's adapter, or its settings, to one file, or merges adapters into a model. If the "
                + "run is not finished, its last checkpoint is exported.",
        footer = {
                "",
                "Examples:",
                "  studio export runs/car --out car.safetensors",
                "  studio export runs/car --out car.safetensors --overwrite",
                "  studio export runs/word --format embedding --out sks.safetensors",
                "  studio export runs/lora --format kohya --out car-lora.safetensors",
                "  studio export runs/atoms --format diff --out car-for-others.safetensors",
                "  studio export runs/car --format toml --out car.toml",
                "  studio export runs/atoms --format locon --max-size 20MB --out car-locon.safetensors",
                "  studio export runs/atoms --format merged --strength 0.8 --out car-model.safetensors",
                "  studio export --model sd15 --adapter a.safetensors:0.7 --adapter b.safetensors "
                        + "--format merged-diffusers --precision bfloat16 --out sd15-ab"
        })
final class ExportCommand implements Callable<Integer> {
    private static final String SETTINGS_FORMAT = "toml";

    private final CommandContext context;

    @Parameters(paramLabel = "RUN", arity = "0..1",
            description = "The run's folder. Without it, --model and --adapter name what is merged.")
    private @Nullable Path run;

    @Option(names = "--out", required = true, paramLabel = "FILE",
            description = "The file to write, usually NAME.safetensors; the folder for peft-folder, "
                    + "merged-diffusers and merged-onnx.")
    private Path out = Path.of("");

    @Option(names = "--format", paramLabel = "NAME", defaultValue = "atomstudio",
            description = "atomstudio: for Atom Studio, with everything that was trained. "
                    + "kohya: LoRA, LoHa, LoKr, DoRA, OFT of outputs, GLoRA, norms and biases as they were trained, "
                    + "with the key names of sd-scripts and LyCORIS, for A1111, Forge, ComfyUI and InvokeAI. "
                    + "peft: LoRA or DoRA for diffusers. "
                    + "peft-folder: LoRA, DoRA, LoHa, LoKr or OFT of inputs as a folder for peft. "
                    + "embedding: a textual inversion for diffusers, A1111 and ComfyUI, which take the file name for "
                    + "the word. "
                    + "diff: full weight diffs in float16, which A1111, Forge, ComfyUI, InvokeAI and LyCORIS read as a "
                    + "LoRA; as large as the trained layers. "
                    + "diff-biases: like diff, for ComfyUI and Forge, without the zero weights of layers that train "
                    + "only a bias (bitfit, difffit). "
                    + "locon: the weight changes of any method as LoRA of limited rank, for the same programs and "
                    + "diffusers; approximate, the error is printed. "
                    + "merged: the base model with the adapter merged in, one file for A1111, Forge and ComfyUI. "
                    + "merged-diffusers: the same as a folder for diffusers. "
                    + "merged-onnx: the same as a folder of ONNX files for ONNX Runtime. "
                    + "toml: the run's settings, for `studio train --config`. Default: ${DEFAULT-VALUE}.")
    private String format = "";

    @Option(names = "--precision", paramLabel = "NAME", defaultValue = "half",
            description = "Of merged models: half, bfloat16 or float32. Default: ${DEFAULT-VALUE}.")
    private String precision = "";

    @Option(names = "--strength", paramLabel = "X", defaultValue = "1",
            description = "Weight of the run's adapter in a merged model, -10 to 10. Default: ${DEFAULT-VALUE}.")
    private double strength;

    @ArgGroup
    private BudgetOptions budget = new BudgetOptions();

    @Option(names = "--dry-run", description = "Of locon: print ranks, size and error without writing.")
    private boolean dryRun;

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--overwrite", description = "Replace an existing file.")
    private boolean overwrite;

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    /// How large a file of `--format locon` may be; one of the options.
    static final class BudgetOptions {
        private static final Pattern SIZE = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,6})?)([KMG])B",
                Pattern.CASE_INSENSITIVE);

        @Option(names = "--rank", paramLabel = "R",
                description = "Of locon: the rank of every layer. Default: " + ExportFormat.DEFAULT_RANK + ".")
        private @Nullable Integer rank;

        @Option(names = "--max-size", paramLabel = "SIZE",
                description = "Of locon: the largest size, such as 20MB. Ranks follow for each layer.")
        private @Nullable String maxSize;

        @Option(names = "--max-error", paramLabel = "X",
                description = "Of locon: the largest relative error of the weight change, such as 0.02. Ranks follow "
                        + "for each layer.")
        private @Nullable Double maxError;

        boolean isGiven() { return rank != null || maxSize != null || maxError != null; }

        /// @throws IllegalArgumentException for a value out of range
        LowRankExport.Budget budget() {
            if (maxError != null) return new LowRankExport.Budget.Error(maxError);
            if (maxSize == null) return new LowRankExport.Budget.Rank(rank == null ? ExportFormat.DEFAULT_RANK : rank);
            Matcher size = SIZE.matcher(maxSize);
            if (!size.matches())
                throw new IllegalArgumentException("max-size: expected a size such as 20MB, found " + maxSize);
            return new LowRankExport.Budget.Size(Math.round(Double.parseDouble(size.group(1))
                    * Math.pow(1000, 1 + "KMG".indexOf(size.group(2).toUpperCase(Locale.ROOT)))));
        }
    }

    ExportCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        if (format.equals(SETTINGS_FORMAT)) return exportSettings(requiredRun());
        ExportFormat format = format();
        if (run == null) return mergeAdapters(format);
        if (modelOptions.isGiven())
            throw new UsageError(spec, "--model, --vae and --tokenizer: the base model of a run is that of its "
                    + "training; leave out RUN and give its adapter with --adapter to use another");
        if (adapters.isGiven() && !format.isMerged())
            throw new UsageError(spec,
                    "--adapter: expected --format merged, merged-diffusers or merged-onnx, found " + this.format);
        if ((budget.isGiven() || dryRun) && format != ExportFormat.LOCON)
            throw new UsageError(spec, "--rank, --max-size, --max-error and --dry-run: expected --format locon, found "
                    + this.format);
        AdapterExport export = AdapterExport.write(run, out, ifExists(), writer(format), context.machine(Device.CPU));
        if (!export.warning().isEmpty()) context.terminal().printNote(export.warning());
        output.print(context.terminal(), () -> json(export),
                () -> List.of(out + "  %,d parameters".formatted(export.parameters())));
        return ExitCode.SUCCESS;
    }

    private int exportSettings(Path run) throws Failure {
        AdapterExport.writeSettings(run, out, ifExists());
        JsonObject json = new JsonObject();
        json.addProperty("file", out.toString());
        output.print(context.terminal(), () -> json, () -> List.of(out.toString()));
        return ExitCode.SUCCESS;
    }

    private Path requiredRun() {
        if (run == null)
            throw new UsageError(spec, "RUN: expected a run's folder, found nothing; only --format merged, "
                    + "merged-diffusers and merged-onnx work without, with --model and --adapter");
        return run;
    }

    private AdapterWriter writer(ExportFormat format) {
        if (format == ExportFormat.LOCON) return (adapter, base, file) -> approximate(adapter, base);
        return format.isMerged() ? (adapter, base, file) -> merge(format, adapter, base) : format;
    }

    /// Prints the ranks, size and error before the file is written.
    private ExportFormat.ExportResult approximate(AdapterFile adapter, ExportBaseModel base) throws Failure {
        LowRankExport.Budget chosen = usage(budget::budget);
        LowRankExport export = LowRankExport.of(adapter, base, chosen);
        LowRankExport.Plan plan = export.plan(chosen);
        context.terminal().printNote(plan.text());
        return dryRun ? new ExportFormat.ExportResult(plan.elements(), plan.advice()) : export.write(plan, out);
    }

    private <T> T usage(Supplier<T> parse) {
        try {
            return parse.get();
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, "--" + e.getMessage());
        }
    }

    private IfExists ifExists() {
        return overwrite ? IfExists.REPLACE : IfExists.FAIL;
    }

    /// The run's adapter and those of `--adapter`, on the base model of the run.
    private ExportFormat.ExportResult merge(ExportFormat format, AdapterFile adapter, ExportBaseModel base)
            throws Failure {
        if (!WeightedAdapter.isValidWeight(strength))
            throw new UsageError(spec, "--strength: expected " + -(int) WeightedAdapter.MAX_WEIGHT + " to "
                    + (int) WeightedAdapter.MAX_WEIGHT + ", found " + strength);
        DiffusionModel model = base.openForMerging(adapter);
        List<WeightedAdapter> merged = new ArrayList<>();
        merged.add(new WeightedAdapter(adapter.toAdapter(adapter.trigger().text(), model), strength));
        merged.addAll(adapters.load(context, model).weights());
        return format.merged(new MergedExport(model, base.mergedBefore(adapter, model), merged, precision(),
                base.torch()), out);
    }

    private int mergeAdapters(ExportFormat format) throws Failure {
        if (!format.isMerged()) requiredRun();
        AdapterExport.requireFree(out, ifExists());
        ModelReference reference = modelOptions.reference(context, Optional.empty());
        DiffusionModel model = reference.open();
        TrainingEnvironment machine = context.machine(Device.CPU);
        MergeOrder order = MergeOrder.of(adapters.loadForMerging(context, model),
                new ExportBaseModel(reference, machine.baseModelHashes(), machine.torchSettings(),
                        MergeOrder.candidates(adapters.arguments())),
                model);
        ExportFormat.ExportResult result = format.merged(
                new MergedExport(model, order.before(), order.adapters(), precision(), machine.torchSettings()), out);
        result.omitted().ifPresent(context.terminal()::printNote);
        JsonObject json = new JsonObject();
        json.addProperty("file", out.toString());
        json.addProperty("parameters", result.parameterCount());
        output.print(context.terminal(), () -> json,
                () -> List.of(out + "  %,d parameters".formatted(result.parameterCount())));
        return ExitCode.SUCCESS;
    }

    private MergedExport.Precision precision() {
        return usage(() -> MergedExport.Precision.ofOption(precision));
    }

    private ExportFormat format() {
        return usage(() -> ExportFormat.ofOption(format));
    }

    private static JsonObject json(AdapterExport export) {
        JsonObject object = new JsonObject();
        object.addProperty("file", export.file().toString());
        object.addProperty("step", export.step());
        object.addProperty("steps", export.totalSteps());
        object.addProperty("parameters", export.parameters());
        object.addProperty("numbers", export.parameters());
        object.addProperty("finished", export.isFinished());
        return object;
    }
}
