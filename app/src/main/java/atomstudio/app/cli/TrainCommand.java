package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.ConfigFile;
import atomstudio.tuning.config.StartingAdapters;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.PartialTrigger;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
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
import picocli.CommandLine.Spec;

/// `studio train`: trains an adapter, or resumes its run. The window starts this command as a child process.
@Command(
        name = "train",
        aliases = "tune",
        description = "Trains an adapter on photos of a subject. If the run exists, it is resumed.",
        footer = {
                "",
                "Photos: JPEG, PNG, WebP, GIF, BMP, TIFF. For car1.jpg, car1.txt holds captions (--captions) of up to "
                        + "225 tokens, and car1-mask.png is the mask (--masks); -masklabel, _mask and .mask are masks "
                        + "too. kohya's folder layout is read: \"10_sks car\" gives repeats, trigger word and class. "
                        + "With several folders the repeats weight the photos.",
                "Ctrl-C writes a checkpoint; `studio resume RUN` continues with the settings of the run.",
                "",
                "Examples:",
                "  studio train --photos my-car --class car --method atoms+word --out runs/car",
                "  studio train --photos my-owl --class owl --method lora --rank 8 --preview-every 50 --out runs/owl",
                "  studio train --photos my-owl --class owl --method lora --validate --dry-run",
                "  studio train --photos my-owl --class owl --from lora.safetensors --out runs/owl-2",
                "  studio train --photos my-car --class car --method atoms --on style.safetensors:0.8 --out runs/car",
                "  studio train --config car.toml --preset thorough --photos my-car --out runs/car"
        })
final class TrainCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--photos", paramLabel = "DIR",
            description = "Folder with photos of the subject, or with such folders. Required unless --config has it.")
    private @Nullable Path photos;

    @Option(names = "--class", paramLabel = "WORD",
            description = "What the subject is, in a word that the model knows. Required unless a folder name has it.")
    private @Nullable String className;

    @Option(names = "--trigger-word", paramLabel = "WORD",
            description = "A rare word that stands for the subject. Default: from the folder name, or "
                    + TrainingRequest.DEFAULT_TOKEN + ".")
    private @Nullable String triggerWord;

    @Option(names = "--from", paramLabel = "FILE",
            description = "Go on training this adapter: one of this program, or a LoRA, LoCon, DoRA, LoHa, "
                    + "LoKr, GLoRA, OFT, BOFT, IA³, VeRA or weight diffs of another. Method, rank and layers, "
                    + "and the words of this program's adapters, are those of the file.")
    private @Nullable Path from;

    @Option(names = "--on", paramLabel = "FILE[:WEIGHT]",
            description = "Train on top of this adapter of any kind, merged into the base model at WEIGHT. Default "
                    + "weight: 1.")
    private @Nullable String on;

    @Mixin
    private final BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private final PredictionOption prediction = new PredictionOption();

    @Mixin
    private final TrainingOptions trainingOptions = new TrainingOptions();

    @Mixin
    private final DeviceOption.ForTraining device = new DeviceOption.ForTraining();

    @Mixin
    private final ControlOption controlOption = new ControlOption();

    @Option(names = "--dry-run",
            description = "Train nothing: estimate memory and time, and list options that reduce memory if it does not "
                    + "fit.")
    private boolean dryRun;

    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(names = "--out", paramLabel = "RUN",
            description = "Folder of the run, created or resumed. Required without --dry-run.")
    private @Nullable Path runFolder;

    @Spec
    private CommandSpec spec;

    TrainCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        TrainingOptions.Given given = trainingOptions.given(context.terminal()::printNote);
        TrainingRequest request = request(given);
        TrainingEnvironment machine = context.machine(device.device(context));
        if (dryRun) {
            controlOption.stopAtEndOfInput(context);
            TrainingEstimate estimate = new TrainingService(machine).estimate(request);
            output.print(context.terminal(), () -> EstimateFormat.json(estimate), () -> EstimateFormat.lines(estimate));
            return ExitCode.SUCCESS;
        }
        Path folder = path(runFolder, given, ConfigFile.Input.OUT)
                .orElseThrow(() -> missing("'--out=RUN'"));
        return new TrainingRunner(context, folder, output).execute(request.method().name(), controlOption,
                (control, listener) -> new TrainingService(machine).run(request, folder, control, listener));
    }

    private TrainingRequest request(TrainingOptions.Given given) throws Failure {
        Path photoFolder = path(photos, given, ConfigFile.Input.PHOTOS).orElseThrow(() -> missing("'--photos=DIR'"));
        ModelReference model = modelOptions.reference(context, prediction.prediction(),
                Optional.ofNullable(given.inputs().get(ConfigFile.Input.MODEL)).map(Path::of));
        StartingAdapters start = start(model);
        MethodSettings settings = trainingOptions.method(given,
                start.continued().map(continued -> continued.adapter().method()));
        Optional<Trigger> learned = start.continued().flatMap(StartingAdapters.Continued::trigger);
        TrainingConfig trainingConfig = trainingOptions.config(given, settings,
                ModelSize.of(model.open().unetParameterCount()));
        PartialTrigger trigger = new PartialTrigger(
                text(triggerWord, given, ConfigFile.Input.TRIGGER_WORD).or(() -> learned.map(Trigger::token)),
                text(className, given, ConfigFile.Input.CLASS).or(() -> learned.map(Trigger::className)))
                .completedFrom(photoFolder, trainingConfig);
        String classWord = trigger.className()
                .orElseThrow(() -> missing("'--class=WORD' (no folder name such as \"10_sks car\" has it)"));
        try {
            return new TrainingRequest(model, photoFolder,
                    new Trigger(trigger.token().orElse(TrainingRequest.DEFAULT_TOKEN), classWord),
                    settings, trainingConfig, start);
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
    }

    private StartingAdapters start(ModelReference model) throws Failure {
        if (from == null && on == null) return StartingAdapters.NONE;
        Optional<StartingAdapters.Continued> continued = from == null ? Optional.empty()
                : Optional.of(StartingAdapters.Continued.read(from, model.open()));
        return new StartingAdapters(continued, Optional.ofNullable(on).map(this::merged));
    }

    private StartingAdapters.Merged merged(String argument) {
        AdapterOptions.AdapterArgument parsed = AdapterOptions.AdapterArgument.parse(argument);
        double weight = parsed.weight().orElse(1);
        if (!WeightedAdapter.isValidWeight(weight))
            throw new UsageError(spec, "--on: expected a weight of " + -(int) WeightedAdapter.MAX_WEIGHT + " to "
                    + (int) WeightedAdapter.MAX_WEIGHT + ", found " + weight);
        return new StartingAdapters.Merged(parsed.file(), weight);
    }

    private UsageError missing(String option) {
        return new UsageError(spec, "Missing required option: " + option);
    }

    /// An option's value, or the one of the files of `--config`.
    private static Optional<String> text(@Nullable String option, TrainingOptions.Given given,
            ConfigFile.Input input) {
        return Optional.ofNullable(option).or(() -> Optional.ofNullable(given.inputs().get(input)));
    }

    private static Optional<Path> path(@Nullable Path option, TrainingOptions.Given given, ConfigFile.Input input) {
        return Optional.ofNullable(option).or(() -> Optional.ofNullable(given.inputs().get(input)).map(Path::of));
    }

    /// The result of a dry run.
    private static final class EstimateFormat {
        private static final double MEGABYTE = 1e6;

        private EstimateFormat() {}

        static List<String> lines(TrainingEstimate estimate) {
            List<String> lines = new ArrayList<>();
            lines.add(String.format(Locale.ROOT, "%,d trainable parameters (%.2f%% of the UNet)",
                    estimate.parameterCount(), 100 * estimate.parameterShare()));
            TrainingEstimate.MemoryFit memory = estimate.memory();
            String availableText = memory.available() > 0
                    ? String.format(Locale.ROOT, " of %,.0f MB available", memory.available() / MEGABYTE)
                    : "";
            lines.add(String.format(Locale.ROOT, "memory: %,.0f MB%s (%s)", memory.bytes() / MEGABYTE, availableText,
                    memory.source()));
            if (estimate.time().stepSeconds() > 0)
                lines.add(String.format(Locale.ROOT, "time: %.2f s per step, %s in total",
                        estimate.time().stepSeconds(), DisplayFormat.duration(estimate.time().totalSeconds())));
            lines.add(estimate.fits() ? "It fits." : "It does not fit. Options that reduce memory:");
            estimate.advice().forEach(suggestion -> lines.add("  " + suggestion));
            return lines;
        }

        static JsonObject json(TrainingEstimate estimate) {
            JsonObject json = new JsonObject();
            json.addProperty("parameters", estimate.parameterCount());
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
