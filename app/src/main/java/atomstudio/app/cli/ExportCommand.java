package atomstudio.app.cli;

import atomstudio.app.export.AdapterExport;
import atomstudio.app.export.AdapterExport.IfExists;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.export.ExportFormat;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio export`: a run's adapter as one file.
@Command(
        name = "export",
        description = "Writes what a run has learned to one file; of an unfinished run the last checkpoint.",
        footer = {
                "",
                "Examples:",
                "  studio export runs/car --out car.safetensors",
                "  studio export runs/car --out car.safetensors --overwrite",
                "  studio export runs/word --format embedding --out sks.safetensors",
                "  studio export runs/lora --format kohya --out car-lora.safetensors",
                "  studio export runs/atoms --format diff --out car-for-others.safetensors"
        })
final class ExportCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "RUN", description = "The run's folder.")
    private Path run = Path.of("");

    @Option(names = "--out", required = true, paramLabel = "FILE",
            description = "The file to write, usually NAME.safetensors.")
    private Path out = Path.of("");

    @Option(names = "--format", paramLabel = "NAME", defaultValue = "atomstudio",
            description = "atomstudio: everything, for this program. embedding: the rows of a textual "
                    + "inversion for diffusers, A1111 and ComfyUI (which take the file's name for the word). kohya, peft: LoRA by the names that other programs or diffusers have, the text encoder's too. diff: whatever was tuned, as whole differences of weights in half precision, "
                    + "which A1111, Forge, ComfyUI, InvokeAI and LyCORIS read as a LoRA; as large as the tuned layers. diff-biases: the same for ComfyUI and Forge alone, "
                    + "without the zero weights of layers whose bias alone is tuned (bitfit, difffit). Default: ${DEFAULT-VALUE}.")
    private String format = "";

    @Spec
    private CommandSpec spec;

    @Option(names = "--overwrite", description = "Replace a file that is there.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    ExportCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        AdapterExport export = AdapterExport.write(run, out, overwrite ? IfExists.REPLACE : IfExists.FAIL, format(),
                context.machine(Device.CPU));
        if (!export.warning().isEmpty()) {
            context.terminal().printNote(export.warning());
        }
        context.terminal()
                .printResult(json ? toJson(export).toString() : out + "  %,d numbers".formatted(export.parameters()));
        return ExitCode.SUCCESS;
    }

    private ExportFormat format() {
        try {
            return ExportFormat.ofOption(format);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
        }
    }

    private static JsonObject toJson(AdapterExport export) {
        JsonObject object = new JsonObject();
        object.addProperty("file", export.file().toString());
        object.addProperty("step", export.step());
        object.addProperty("steps", export.totalSteps());
        object.addProperty("numbers", export.parameters());
        object.addProperty("finished", export.isFinished());
        return object;
    }
}
