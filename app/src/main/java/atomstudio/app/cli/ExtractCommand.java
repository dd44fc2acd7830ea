package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.Extraction;
import atomstudio.tuning.method.LayerSelector;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio extract`: the difference of two models as an adapter.
@Command(
        name = "extract",
        description = "Writes the difference of a fine-tuned model from its base model (--model) as an adapter, and "
                + "prints the share of it that the adapter explains, per layer and in total.",
        footer = {
                "",
                "Examples:",
                "  studio extract my-model.safetensors --model sd15 --rank 64 --out my-lora.safetensors",
                "  studio extract my-model.safetensors --model sd15 --method atoms --out my-atoms.safetensors"
        })
final class ExtractCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "TUNED", description = "The fine-tuned model, a folder or one file.")
    private Path tuned = Path.of("");

    @Option(names = "--method", paramLabel = "NAME", defaultValue = "lora",
            description = "lora: low-rank products, also of convolutions, in sd-scripts' format unless --format names "
                    + "another. atoms: nine filter atoms of every 3×3 convolution. Default: ${DEFAULT-VALUE}.")
    private String method = "";

    @Option(names = "--rank", paramLabel = "R", defaultValue = "" + ExportFormat.DEFAULT_RANK,
            description = "Of lora. Default: ${DEFAULT-VALUE}.")
    private int rank;

    @Option(names = "--layers", paramLabel = "LIST", defaultValue = "*,text_model.*",
            description = "Of lora: the layers, as of `studio train`. Default: all.")
    private String layers = "";

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private AdapterOutput target = new AdapterOutput();

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ExtractCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        Extraction.Form form = form();
        target.format();
        target.requireFree();
        ModelReference base = modelOptions.reference(context, Optional.empty());
        TrainingEnvironment machine = context.machine(Device.CPU);
        Extraction extraction = Extraction.of(base.open(),
                new ModelReference(context.modelPath(tuned), base.options()).open(), form, machine.baseModelHashes(),
                machine.torchSettings());
        long parameters = target.write(context, extraction.adapter(), base,
                form instanceof Extraction.Form.Atoms ? ExportFormat.ATOMSTUDIO : ExportFormat.KOHYA);
        output.print(context.terminal(), () -> json(extraction, parameters), () -> lines(extraction, parameters));
        return ExitCode.SUCCESS;
    }

    private Extraction.Form form() {
        try {
            return switch (method) {
                case "lora" -> new Extraction.Form.LowRank(rank, LayerSelector.parse(layers));
                case "atoms" -> new Extraction.Form.Atoms();
                default -> throw new IllegalArgumentException("method: expected lora or atoms, found " + method);
            };
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, "--" + e.getMessage());
        }
    }

    private List<String> lines(Extraction extraction, long parameters) {
        List<String> lines = new ArrayList<>();
        for (Extraction.LayerShare layer : extraction.layers())
            lines.add(String.format(Locale.ROOT, "%5.1f %%  of %-10.4g  %s", 100 * layer.explained(),
                    Math.sqrt(layer.squaredNorm()), layer.layer()));
        lines.add(String.format(Locale.ROOT, "%5.1f %%  in total", 100 * extraction.share()));
        lines.add(target.file() + "  %,d parameters".formatted(parameters));
        return lines;
    }

    private JsonObject json(Extraction extraction, long parameters) {
        JsonObject json = new JsonObject();
        json.addProperty("file", target.file().toString());
        json.addProperty("parameters", parameters);
        json.addProperty("explained", extraction.share());
        JsonArray layers = new JsonArray();
        for (Extraction.LayerShare layer : extraction.layers()) {
            JsonObject entry = new JsonObject();
            entry.addProperty("layer", layer.layer());
            entry.addProperty("norm", Math.sqrt(layer.squaredNorm()));
            entry.addProperty("explained", layer.explained());
            layers.add(entry);
        }
        json.add("layers", layers);
        return json;
    }
}
