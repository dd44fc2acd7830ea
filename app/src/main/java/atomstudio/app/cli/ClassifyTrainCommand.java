package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.classify.ClassFolders;
import atomstudio.tuning.classify.ClassifierReport;
import atomstudio.tuning.classify.ClassifierTraining;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.setting.Setting;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `studio classify train`: trains a classifier, or resumes its run.
@Command(
        name = "train",
        description = "Fine-tunes an image classifier on folders of images, one per class. The head is trained with "
                + "every method. If the run exists, it is resumed.",
        footer = {"",
                "Data: a folder per class with JPEG, PNG, WebP, GIF, BMP or TIFF images, in train/ and val/; without "
                        + "these, a share of each class is held out for validation.",
                "Models: safetensors or PyTorch files of ResNet (timm, torchvision), ConvNeXt (timm) and ViT (timm, "
                        + "transformers), or their folders. A config.json beside the file gives normalization and "
                        + "image size.",
                "Ctrl-C writes a checkpoint; the same command resumes the run.", "", "Examples:",
                "  studio classify train --data flowers --model resnet50.safetensors --method atoms --out runs/flowers",
                "  studio classify train --data flowers --model resnet50.safetensors --method vera --validate "
                        + "--early-stopping --steps 2000 --out runs/vera",
                "  studio classify train --data flowers --model resnet50.safetensors --method full --dry-run",
                "  studio classify train --data pets --model convnext_tiny --method overcomplete+channels --steps 500 "
                        + "--out runs/pets",
                "  studio classify train --data pets --model vit --method lora --layers attention --rank 8 "
                        + "--out runs/vit"})
final class ClassifyTrainCommand implements Callable<Integer> {
    /// As published for the head of ResNet-50 (Chen, Miao, Qiu 2025, its code).
    private static final double DEFAULT_HEAD_LEARNING_RATE = 1e-3;
    private static final double DEFAULT_VALIDATION_SHARE = 0.2;
    private static final String METHOD = "--method";
    private static final double MEGABYTE = 1e6;
    private static final String OFT_BLOCK_SIZE = "8";
    private static final List<TrainingSetting> TRAINING_SETTINGS = List.of(TrainingSetting.STEPS,
            TrainingSetting.LEARNING_RATE, TrainingSetting.SEED, TrainingSetting.WARMUP_STEPS,
            TrainingSetting.LR_SCHEDULER, TrainingSetting.OPTIMIZER, TrainingSetting.WEIGHT_DECAY,
            TrainingSetting.GROUPS, TrainingSetting.BATCH_SIZE, TrainingSetting.EMA_DECAY, TrainingSetting.FLIP,
            TrainingSetting.GRADIENT_CHECKPOINTING, TrainingSetting.VALIDATE, TrainingSetting.EARLY_STOPPING);
    private static final String VALIDATE_HELP = "Measure the accuracy on the validation images after every pass over "
            + "the training images, and keep the best checkpoint as the adapter.";

    private final CommandContext context;

    @Option(names = "--data", paramLabel = "DIR", required = true, description = "Folder with a folder per class.")
    private Path data;

    @Option(names = "--model", paramLabel = "PATH", required = true, description = "The classifier's file or folder.")
    private Path model;

    @Option(names = "--out", paramLabel = "RUN",
            description = "Folder of the run, created or resumed. Required without --dry-run.")
    private @Nullable Path runFolder;

    @Option(names = "--head-learning-rate", paramLabel = "RATE",
            description = "Learning rate of the head. Default: ${DEFAULT-VALUE}.")
    private double headLearningRate = DEFAULT_HEAD_LEARNING_RATE;

    @Option(names = "--image-size", paramLabel = "PIXELS",
            description = "Side of the images. Default: the model's, usually 224.")
    private @Nullable Integer imageSize;

    @Option(names = "--validation-share", paramLabel = "SHARE",
            description = "Share of each class that is held out, without train/ and val/. Default: ${DEFAULT-VALUE}.")
    private double validationShare = DEFAULT_VALIDATION_SHARE;

    @Mixin
    private final DeviceOption.ForTraining device = new DeviceOption.ForTraining();

    @Option(names = "--dry-run", description = "Train nothing: count parameters and memory.")
    private boolean dryRun;

    @Mixin
    private final OutputOption output = new OutputOption();

    private CommandSpec spec;

    ClassifyTrainCommand(CommandContext context) {
        this.context = context;
    }

    /// Adds the options of method and training from the table of settings.
    @Spec
    void addTo(CommandSpec self) {
        spec = self;
        self.addOption(OptionSpec.builder(METHOD)
                .type(String.class)
                .paramLabel("NAME")
                .completionCandidates(ClassifierTraining.methods().stream().map(MethodName::option).toList())
                .description("One of " + ClassifierTraining.options() + ". Required. Not supported: "
                        + ClassifierTraining.unsupported() + ".")
                .build());
        settings().forEach(setting -> self.addOption(setting == TrainingSetting.VALIDATE
                ? OptionSpec.builder(TrainingOptions.option(setting)).description(VALIDATE_HELP).build()
                : TrainingOptions.option(setting)));
    }

    private static Stream<Setting> settings() {
        Stream<Setting> ofMethods = Stream.<Setting>of(MethodSetting.values())
                .filter(setting -> setting != MethodSetting.COMBINE_WITH
                        && setting != MethodSetting.TRAIN_TEXT_ENCODER);
        return Stream.concat(ofMethods, TRAINING_SETTINGS.stream());
    }

    @Override
    public Integer call() throws Failure {
        ClassifierTraining.Request request = request();
        if (dryRun) {
            ClassifierTraining.Estimate estimate = new ClassifierTraining(context.machine(device.device(context)))
                    .estimate(request);
            output.print(context.terminal(), () -> estimateJson(estimate), () -> estimateLines(estimate));
            return ExitCode.SUCCESS;
        }
        Path runFolder = this.runFolder;
        if (runFolder == null) throw new UsageError(spec, "Missing required option: '--out=RUN'");
        try (StopSignal.Registration registration = context.stopSignal().register();
                TrainingProgressBar progress = new TrainingProgressBar(context.terminal(), request.method().name())) {
            ClassifierTraining.Outcome outcome = new ClassifierTraining(context.machine(device.device(context))).run(
                    request,
                    runFolder, new ControlOption().control(context), progress);
            progress.close();
            return printOutcome(request.method().name(), runFolder, outcome);
        }
    }

    private ClassifierTraining.Request request() {
        return requireValid(() -> {
            ChosenSettings chosen = chosen();
            MethodName name = chosen.method()
                    .orElseThrow(() -> new UsageError(spec, "Missing required option: '--method=NAME'"));
            MethodSettings settings = onEveryLayer(chosen, name);
            TrainingConfig config = chosen.trainingSettings(settings, ModelSize.SMALL)
                    .toConfig(settings, ModelSize.SMALL);
            if (config.optimizer().batchSize() == TrainingConfig.UNSET)
                config = config.with(TrainingSetting.BATCH_SIZE, ClassifierTraining.DEFAULT_BATCH_SIZE);
            if (imageSize != null && imageSize < 1)
                throw new IllegalArgumentException("image-size: expected at least 1, found " + imageSize);
            return new ClassifierTraining.Request(model, data,
                    new ClassFolders.Split(config.schedule().seed(), validationShare), settings, config,
                    headLearningRate, imageSize == null ? 0 : imageSize);
        });
    }

    /// Where no layers are chosen, all of them, with blocks of OFT that are small beside the widest.
    private static MethodSettings onEveryLayer(ChosenSettings chosen, MethodName name) {
        Map<Setting, String> values = new HashMap<>(chosen.values());
        List<MethodSetting> applicable = MethodSettings.of(name).settings();
        if (applicable.contains(MethodSetting.LAYERS) && values.putIfAbsent(MethodSetting.LAYERS, "*") == null
                && applicable.contains(MethodSetting.BLOCK_SIZE))
            values.putIfAbsent(MethodSetting.BLOCK_SIZE, OFT_BLOCK_SIZE);
        return new ChosenSettings(chosen.method(), chosen.preset(), values).methodSettings(name);
    }

    private ChosenSettings chosen() {
        Map<Setting, String> values = new HashMap<>();
        settings().forEach(setting -> value("--" + setting.option())
                .ifPresent(value -> values.put(setting, TrainingOptions.text(value))));
        return new ChosenSettings(value(METHOD).map(name -> MethodName.ofOption(name.toString())), Optional.empty(),
                values);
    }

    private Optional<Object> value(String option) {
        return Optional.ofNullable(spec.findOption(option).getValue());
    }

    private <V> V requireValid(Supplier<V> conversion) {
        try {
            return conversion.get();
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
    }

    private static List<String> estimateLines(ClassifierTraining.Estimate estimate) {
        String available = estimate.available() > 0
                ? String.format(Locale.ROOT, " of %,.0f MB available", estimate.available() / MEGABYTE)
                : "";
        return List.of(
                String.format(Locale.ROOT, "%,d trainable parameters (%.2f%% of the backbone) and %,d of the head",
                        estimate.parameters(), 100 * estimate.share(), estimate.headParameters()),
                String.format(Locale.ROOT, "memory: %,.0f MB%s (counted by a dry run of one step)",
                        estimate.memory() / MEGABYTE, available),
                estimate.fits() ? "It fits."
                        : "It does not fit: a smaller --batch-size or --image-size, fewer --layers, or "
                                + "--gradient-checkpointing need less.");
    }

    private static JsonObject estimateJson(ClassifierTraining.Estimate estimate) {
        JsonObject json = new JsonObject();
        json.addProperty("parameters", estimate.parameters());
        json.addProperty("headParameters", estimate.headParameters());
        json.addProperty("share", estimate.share());
        json.addProperty("memory", estimate.memory());
        json.addProperty("available", estimate.available());
        json.addProperty("fits", estimate.fits());
        return json;
    }

    private int printOutcome(String method, Path runFolder, ClassifierTraining.Outcome outcome) {
        return switch (outcome) {
            case ClassifierTraining.Outcome.Finished finished -> {
                output.print(context.terminal(), () -> json(method, runFolder, finished.report()),
                        () -> lines(method, runFolder, finished.report()));
                yield ExitCode.SUCCESS;
            }
            case ClassifierTraining.Outcome.Stopped stopped -> {
                context.terminal()
                        .printNote("Stopped after step %d of %d; the same command resumes the run."
                                .formatted(stopped.step(), stopped.steps()));
                yield ExitCode.CANCELLED;
            }
        };
    }

    private static List<String> lines(String method, Path runFolder, ClassifierReport report) {
        return List.of(new RunFolder(runFolder).adapter().toString(),
                String.format(Locale.ROOT, "%s: %,d trainable parameters (%.2f%% of the backbone) and %,d of the head, "
                        + "%d steps in %.1f s, loss %.4f", method, report.parameters(), 100 * report.share(),
                        report.headParameters(), report.steps(), report.seconds(), report.loss()),
                ClassifyEvaluateCommand.accuracyLine(report.accuracy(), report.images()));
    }

    private static JsonObject json(String method, Path runFolder, ClassifierReport report) {
        JsonObject json = report.json();
        json.addProperty("run", runFolder.toString());
        json.addProperty("method", method);
        return json;
    }
}
