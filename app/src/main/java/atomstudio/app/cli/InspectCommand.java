package atomstudio.app.cli;

import atomstudio.app.inspect.Inspection;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `studio inspect`: describes a file or folder without loading a native library.
@Command(
        name = "inspect",
        description = "Describes a model, run, adapter, tensor file or image: sizes, parameter counts, problems.",
        footer = {"", "Examples:", "  studio inspect ~/models/stable-diffusion-v1-5",
                "  studio inspect v1-5-pruned-emaonly.ckpt", "  studio inspect unet/config.json",
                "  studio inspect car.safetensors", "  studio inspect apple.png"})
final class InspectCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Parameters(paramLabel = "FILE-OR-DIR",
            description = "A model folder, one of its components, a config.json, a model in one file (.safetensors, "
                    + ".ckpt), a run, an adapter, a tensor file or an image.")
    private Path path = Path.of("");

    @Mixin
    private OutputOption output = new OutputOption();

    InspectCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        Inspection inspection = Inspection.of(path);
        output.printIndented(context.terminal(), inspection::json, inspection::lines);
        inspection.problems().forEach(context.terminal()::printNote);
        return inspection.problems().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }
}
