package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.train.TrainingService;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `studio resume`: goes on with a run as its own description says.
@Command(
        name = "resume",
        description = "Goes on with a run as it was begun: model, pictures, method and settings are those in its run.json.",
        footer = {"", "Examples:", "  studio resume runs/car"})
final class ResumeCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "RUN", description = "The run's folder.")
    private Path runFolder = Path.of("");

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Mixin
    private final ControlOption controlOption = new ControlOption();

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    ResumeCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        String method = new RunFolder(runFolder).info().method().name();
        TrainingEnvironment machine = context.machine(device.device());
        TrainingRunner runner = new TrainingRunner(context, runFolder,
                json ? TrainingRunner.TrainingFormat.JSON : TrainingRunner.TrainingFormat.LINES);
        return runner.execute(method, controlOption,
                (control, listener) -> new TrainingService(machine).resume(runFolder, control, listener));
    }
}
