package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.train.TrainingService;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `studio resume`: continues a run from its last checkpoint.
@Command(
        name = "resume",
        description = "Continues a run from its last checkpoint, with the model, photos, method and settings of its "
                + "run.json.",
        footer = {"", "Examples:", "  studio resume runs/car"})
final class ResumeCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "RUN", description = "The run's folder.")
    private Path runFolder = Path.of("");

    @Mixin
    private final DeviceOption.ForTraining device = new DeviceOption.ForTraining();

    @Mixin
    private final ControlOption controlOption = new ControlOption();

    @Mixin
    private final OutputOption output = new OutputOption();

    ResumeCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        String method = new RunFolder(runFolder).info().method().name();
        TrainingEnvironment machine = context.machine(device.device(context));
        return new TrainingRunner(context, runFolder, output).execute(method, controlOption,
                (control, listener) -> new TrainingService(machine).resume(runFolder, control, listener));
    }
}
