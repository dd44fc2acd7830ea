package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.PartialTrigger;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.TrainingEstimate;
import atomstudio.tuning.train.TrainingService;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `studio tune`: makes a run, or goes on with one. The window starts this command as a process of its own.
@Command(
        name = "tune",
        description = "Tunes a model on pictures of a subject. The same command on an existing run goes on with it.",
        footer = {
                "",
                "Pictures: JPEG, PNG, WebP, GIF, BMP, TIFF. Beside car1.jpg, car1.txt is its caption (--captions) and car1-mask.png",
                "its mask (--masks); -masklabel, _mask and .mask are masks too. Captions have up to 225 tokens.",
                "A folder in kohya's layout, \"10_sks car\", gives repeats, token and class; of several, repeats weigh the pictures.",
                "Ctrl-C writes a checkpoint; `studio resume RUN` goes on without repeating the settings.",
                "",
                "Examples:",
                "  studio tune --pictures my-car --class car --method atoms --out runs/car",
                "  studio tune --pictures my-owl --class owl --method lora --rank 8 --preview-every 50 --out runs/owl",
                "  studio tune --pictures my-owl --class owl --method lora --prior auto --validate --dry-run"
        })
final class TrainCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--pictures", required = true, paramLabel = "DIR",
            description = "Folder with pictures of the subject, or with folders of them.")
    private Path photos = Path.of("");

    @Option(names = "--class", paramLabel = "WORD",
            description = "What the subject is, in a word that the model knows. Needed unless a folder's name gives it.")
    private @Nullable String className;

    @Mixin
    private final BaseModelOptions modelOptions = new BaseModelOptions();

    @Option(names = "--prediction", paramLabel = "NAME", converter = SamplingOptions.PredictionNames.class,
            description = "What the model predicts: epsilon, v or sample. Default: what it says of itself, or a guess that is named.")
    private @Nullable PredictionType prediction;

    @Option(names = "--token", paramLabel = "WORD",
            description = "Rare word that comes to stand for the subject. Default: a folder's name gives it, or "
                    + TrainingRequest.DEFAULT_TOKEN + ".")
    private @Nullable String token;

    @Mixin
    private final MethodOptions methodOptions = new MethodOptions();

    @Mixin
    private final TrainingOptions trainingOptions = new TrainingOptions();

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Mixin
    private final ControlOption controlOption = new ControlOption();

    @Option(names = "--dry-run",
            description = "Make no run: say what it would take in memory and time, and what would make it fit where it does not.")
    private boolean dryRun;

    @Option(names = "--json", description = "Print the result as one JSON object.")
    private boolean json;

    @Option(names = "--out", paramLabel = "RUN",
            description = "The run's folder: made, or gone on with. Needed without --dry-run.")
    private @Nullable Path runFolder;

    @Spec
    private CommandSpec spec;

    TrainCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        TrainingRequest request = request();
        TrainingEnvironment machine = context.machine(device.device());
        if (dryRun) {
            controlOption.stopAtEndOfInput(context);
            TrainingEstimate estimate = new TrainingService(machine).estimate(request);
            context.terminal()
                    .printResult(json ? EstimateFormat.json(estimate).toString() : EstimateFormat.lines(estimate));
            return ExitCode.SUCCESS;
        }
        if (runFolder == null) throw new ParameterException(spec.commandLine(), "Missing required option: '--out=RUN'");
        Path folder = runFolder;
        TrainingRunner runner = new TrainingRunner(context, folder,
                json ? TrainingRunner.TrainingFormat.JSON : TrainingRunner.TrainingFormat.LINES);
        return runner.execute(request.method().name(), controlOption,
                (control, listener) -> new TrainingService(machine).run(request, folder, control, listener));
    }

    private TrainingRequest request() throws Failure {
        MethodSettings settings = methodOptions.settings();
        TrainingConfig trainingConfig = trainingOptions.trainingConfig(settings);
        PartialTrigger subjectWords = new PartialTrigger(Optional.ofNullable(token), Optional.ofNullable(className))
                .completedFrom(photos, trainingConfig);
        String classWord = subjectWords.className()
                .orElseThrow(() -> new ParameterException(spec.commandLine(),
                        "Missing required option: '--class=WORD' (no folder's name such as \"10_sks car\" gives it)"));
        try {
            return new TrainingRequest(modelOptions.reference(context, Optional.ofNullable(prediction)), photos,
                    new Trigger(subjectWords.token().orElse(TrainingRequest.DEFAULT_TOKEN), classWord), settings,
                    trainingConfig);
        } catch (IllegalArgumentException error) {
            throw new ParameterException(spec.commandLine(), "--" + error.getMessage());
        }
    }

    /// What a run would take, for people and for programs.
    static final class EstimateFormat {
        private static final double MEGABYTE = 1e6;

        private EstimateFormat() {}

        static String lines(TrainingEstimate estimate) {
            List<String> lines = new ArrayList<>();
            lines.add(String.format(Locale.ROOT, "%,d numbers tuned (%.2f %% of the network)",
                    estimate.parameterCount(), 100 * estimate.parameterShare()));
            TrainingEstimate.MemoryFit memory = estimate.memory();
            String availableText = memory.available() > 0
                    ? String.format(Locale.ROOT, " of %,.0f MB that there are", memory.available() / MEGABYTE)
                    : "";
            lines.add(String.format(Locale.ROOT, "memory: %,.0f MB%s (%s)", memory.bytes() / MEGABYTE, availableText,
                    memory.source()));
            if (estimate.time().stepSeconds() > 0)
                lines.add(String.format(Locale.ROOT, "time: %.2f s a step, %s in all", estimate.time().stepSeconds(),
                        DisplayFormat.seconds(estimate.time().totalSeconds())));
            lines.add(estimate.fits() ? "It fits." : "It does not fit. What takes less:");
            estimate.advice().forEach(suggestion -> lines.add("  " + suggestion));
            return String.join(System.lineSeparator(), lines);
        }

        static JsonObject json(TrainingEstimate estimate) {
            JsonObject json = new JsonObject();
            json.addProperty("numbers", estimate.parameterCount());
            json.addProperty("share", estimate.parameterShare());
            json.addProperty("memory", estimate.memory().bytes());
            json.addProperty("memorySource", estimate.memory().source());
            json.addProperty("available", estimate.memory().available());
            json.addProperty("secondsPerStep", estimate.time().stepSeconds());
            json.addProperty("secondsBefore", estimate.time().setupSeconds());
            json.addProperty("seconds", estimate.time().totalSeconds());
            json.addProperty("fits", estimate.fits());
            JsonArray advice = new JsonArray();
            estimate.advice().forEach(advice::add);
            json.add("advice", advice);
            return json;
        }
    }
}
