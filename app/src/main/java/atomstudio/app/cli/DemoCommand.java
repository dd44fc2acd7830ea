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

/// `studio demo`: everything at once with what is embedded.
@Command(
        name = "demo",
        description = "Personalizes the embedded model on the embedded car three times (atoms with a word, atoms+channels, lora), and shows the same prompts "
                + "and seeds from the base model and from these side by side. A few minutes on two cores; started again, it goes on where it stopped.",
        footer = {"", "Examples:", "  studio demo", "  studio demo --out /tmp/demo"})
final class DemoCommand implements Callable<Integer> {
    private static final String SUBJECT = "car";
    /// Scenes that the embedded model knows; the subject's pictures show none of them.
    private static final List<String> PROMPTS = List.of("a {} in the snow", "a {} in a forest",
            "a {} on a cobblestone street", "a {} under the night sky");
    private static final List<Long> SEEDS = List.of(0L, 1L);

    private final CommandContext context;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = "demo",
            description = "Where sheet.png, index.html, compare.json, pictures/ and runs/ go. Default: ${DEFAULT-VALUE}.")
    private Path out = Path.of("demo");

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    DemoCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        ModelReference model = ModelReference.of(context.assets().defaultModel());
        ImageOptions look = new ImageOptions(sampling.negativePrompt(), sampling.settings(context, model.open()));
        ComparisonRequest request = new ComparisonRequest(model,
                new ComparedSubject(SUBJECT, TrainingRequest.DEFAULT_TOKEN),
                new TrainNewRuns(context.assets().subjectFolder(SUBJECT), OptionalInt.empty()), PROMPTS, SEEDS, look,
                out);
        return ComparisonRunner.run(context, request, device.device(),
                json ? ComparisonRunner.ComparisonFormat.JSON : ComparisonRunner.ComparisonFormat.LINES);
    }
}
