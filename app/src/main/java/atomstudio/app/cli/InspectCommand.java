package atomstudio.app.cli;

import atomstudio.app.inspect.Inspection;
import atomstudio.diffusion.Failure;
import com.google.gson.GsonBuilder;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `studio inspect`: what a file or folder is, without loading any native library.
@Command(
        name = "inspect",
        description = "Says what a model, run, adapter, file of tensors or picture is: sizes, numbers, what does not fit.",
        footer = {"", "Examples:", "  studio inspect ~/models/stable-diffusion-v1-5",
                "  studio inspect v1-5-pruned-emaonly.ckpt", "  studio inspect unet/config.json",
                "  studio inspect car.atoms.safetensors", "  studio inspect picture.png"})
final class InspectCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Parameters(paramLabel = "FILE-OR-DIR",
            description = "A model folder, one of its parts, a config.json, a model in one file (.safetensors, .ckpt), a run, an adapter, any file of tensors, or an image.")
    private Path path = Path.of("");

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    InspectCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        Inspection inspection = Inspection.of(path);
        if (json) {
            context.terminal()
                    .printResult(new GsonBuilder().setPrettyPrinting()
                            .disableHtmlEscaping()
                            .create()
                            .toJson(inspection.json()));
        } else {
            inspection.lines().forEach(context.terminal()::printResult);
        }
        inspection.problems().forEach(context.terminal()::printNote);
        return inspection.problems().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }
}
