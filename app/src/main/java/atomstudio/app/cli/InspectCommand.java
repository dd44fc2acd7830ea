package atomstudio.app.cli;

import atomstudio.app.inspect.Inspection;
import atomstudio.app.inspect.LayerNorms;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `studio inspect`: describes a file or folder without loading a native library.
@Command(
        name = "inspect",
        description = "Describes a model, run, adapter, tensor file or image: sizes, parameter counts, problems.",
        footer = {"", "Examples:", "  studio inspect ~/models/stable-diffusion-v1-5",
                "  studio inspect v1-5-pruned-emaonly.ckpt", "  studio inspect unet/config.json",
                "  studio inspect car.safetensors", "  studio inspect apple.png",
                "  studio inspect car.safetensors --norms --model ~/models/stable-diffusion-v1-5"})
final class InspectCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Parameters(paramLabel = "FILE-OR-DIR",
            description = "A model folder, one of its components, a config.json, a model in one file (.safetensors, "
                    + ".ckpt), a run, an adapter, a tensor file or an image.")
    private Path path = Path.of("");

    @Option(names = "--norms",
            description = "Of an adapter: the norm of each layer's weight change, and relative to that of the base "
                    + "model's weight.")
    private boolean norms;

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private OutputOption output = new OutputOption();

    InspectCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public boolean needsNatives() {
        return norms;
    }

    private void printWithNorms(Inspection inspection) throws Failure {
        LayerNorms layers = LayerNorms.of(path, modelOptions.reference(context, Optional.empty()).open(),
                context.machine(Device.CPU).torchSettings());
        JsonObject json = inspection.json();
        json.add("norms", layers.json());
        List<String> lines = new ArrayList<>(inspection.lines());
        lines.addAll(layers.lines());
        output.printIndented(context.terminal(), () -> json, () -> lines);
    }

    @Override
    public Integer call() throws Failure {
        Inspection inspection = Inspection.of(path);
        if (norms) printWithNorms(inspection);
        else output.printIndented(context.terminal(), inspection::json, inspection::lines);
        inspection.problems().forEach(context.terminal()::printNote);
        return inspection.problems().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }
}
