package atomstudio.app.cli;

import atomstudio.app.export.AdapterExport;
import atomstudio.app.export.AdapterExport.IfExists;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.export.ExportFormat;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio export`: writes a run's adapter to one file.
@Command(
        name = "export",
        description = "Writes a run's adapter, or its settings, to one file. If the run is not finished, its last "
                + "checkpoint is exported.",
        footer = {
                "",
                "Examples:",
                "  studio export runs/car --out car.safetensors",
                "  studio export runs/car --out car.safetensors --overwrite",
                "  studio export runs/word --format embedding --out sks.safetensors",
                "  studio export runs/lora --format kohya --out car-lora.safetensors",
                "  studio export runs/atoms --format diff --out car-for-others.safetensors",
                "  studio export runs/car --format toml --out car.toml"
        })
final class ExportCommand implements Callable<Integer> {
    private static final String SETTINGS_FORMAT = "toml";

    private final CommandContext context;

    @Parameters(paramLabel = "RUN", description = "The run's folder.")
    private Path run = Path.of("");

    @Option(names = "--out", required = true, paramLabel = "FILE",
            description = "The file to write, usually NAME.safetensors.")
    private Path out = Path.of("");

    @Option(names = "--format", paramLabel = "NAME", defaultValue = "atomstudio",
            description = "atomstudio: for Atom Studio, with everything that was trained. "
                    + "kohya: LoRA with the key names of sd-scripts, for A1111, Forge, ComfyUI and InvokeAI. "
                    + "peft: LoRA for diffusers. "
                    + "embedding: a textual inversion for diffusers, A1111 and ComfyUI, which take the file name for "
                    + "the word. "
                    + "diff: full weight diffs in float16, which A1111, Forge, ComfyUI, InvokeAI and LyCORIS read as a "
                    + "LoRA; as large as the trained layers. "
                    + "diff-biases: like diff, for ComfyUI and Forge, without the zero weights of layers that train "
                    + "only a bias (bitfit, difffit). "
                    + "toml: the run's settings, for `studio train --config`. Default: ${DEFAULT-VALUE}.")
    private String format = "";

    @Option(names = "--overwrite", description = "Replace an existing file.")
    private boolean overwrite;

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ExportCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        IfExists existing = overwrite ? IfExists.REPLACE : IfExists.FAIL;
        if (format.equals(SETTINGS_FORMAT)) {
            AdapterExport.writeSettings(run, out, existing);
            JsonObject json = new JsonObject();
            json.addProperty("file", out.toString());
            output.print(context.terminal(), () -> json, () -> List.of(out.toString()));
            return ExitCode.SUCCESS;
        }
        AdapterExport export = AdapterExport.write(run, out, existing, format(), context.machine(Device.CPU));
        if (!export.warning().isEmpty()) context.terminal().printNote(export.warning());
        output.print(context.terminal(), () -> json(export),
                () -> List.of(out + "  %,d parameters".formatted(export.parameters())));
        return ExitCode.SUCCESS;
    }

    private ExportFormat format() {
        try {
            return ExportFormat.ofOption(format);
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, "--" + e.getMessage());
        }
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
