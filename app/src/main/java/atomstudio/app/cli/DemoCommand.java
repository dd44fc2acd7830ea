package atomstudio.app.cli;

import atomstudio.app.compare.ComparisonRequest;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ImageOptions;
import atomstudio.app.compare.ComparisonRequest.TrainNewRuns;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.config.TrainingRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `studio demo`: trains the embedded model on an embedded subject with three methods and compares them.
@Command(
        name = "demo",
        description = "Trains the embedded model on the sample subject car with three methods (atoms+word, "
                + "atoms+channels, lora) and generates the same prompts and seeds with the base model and each "
                + "adapter. "
                + "Takes a few minutes on two cores; if interrupted, the same command continues.",
        footer = {"", "Examples:", "  studio demo", "  studio demo --out /tmp/demo"})
final class DemoCommand implements Callable<Integer> {
    private static final String SUBJECT = "car";
    /// Scenes that the embedded model knows and that no photo of the subject shows.
    private static final List<String> PROMPTS = List.of("a {} in the snow", "a {} in a forest",
            "a {} on a cobblestone street", "a {} under the night sky");
    private static final List<Long> SEEDS = List.of(0L, 1L);

    private final CommandContext context;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = "demo",
            description = "Folder for sheet.png, index.html, compare.json, pictures/ and runs/. "
                    + "Default: ${DEFAULT-VALUE}.")
    private Path out = Path.of("demo");

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Mixin
    private OutputOption output = new OutputOption();

    DemoCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        ModelReference model = ModelReference.of(context.assets().defaultModel());
        ComparisonRequest request = new ComparisonRequest(model,
                new ComparedSubject(SUBJECT, TrainingRequest.DEFAULT_TOKEN),
                new TrainNewRuns(context.assets().subjectFolder(SUBJECT), OptionalInt.empty()), PROMPTS, SEEDS,
                new ImageOptions(sampling.negativePrompt(), sampling.settings(context, model.open())), out);
        return ComparisonRunner.run(context, request, device.deviceForTrainingToo(context), output);
    }
}
