package atomstudio.app.cli;

import atomstudio.app.benchmark.BenchmarkDataset;
import atomstudio.app.benchmark.BenchmarkProtocol;
import atomstudio.app.benchmark.BenchmarkRequest;
import atomstudio.app.benchmark.BenchmarkRun;
import atomstudio.app.benchmark.BenchmarkSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingConfig.PrecisionMode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/// The options of a benchmark that determine its runs.
final class BenchmarkPlanOptions {
    /// Options of the command that do not change the plan.
    private static final Set<String> OTHER_OPTIONS = Set.of("--out", "--device", "--plan", "--shard", "--collect",
            "--status", "--submit", "--print", "--cancel", "--at-once", "--shards", "--gpus", "--partition",
            "--account", "--time", "--sbatch-option", "--setup", "--container", "--claim", "--mount", "--program",
            "--json", "--verbose", "--help", "--version", "--protocol");
    private static final int MAX_IMAGES = 100;

    @Option(names = "--dataset", paramLabel = "DIR",
            description = "Folder with a folder of photos per subject; can be repeated. Default: the sample subjects.")
    private List<Path> datasets = List.of();

    @Option(names = "--model", paramLabel = "DIR",
            description = "A model with a CLIP image encoder, as a folder in diffusers' layout. Default: the "
                    + "embedded model.")
    private @Nullable Path model;

    @Option(names = "--methods", paramLabel = "NAMES", split = ",",
            description = "Methods of `studio experiment --help` or `studio methods`; untuned: the base model, "
                    + "prompted with the class. Default: untuned,atoms+word,atoms+channels,lora-4.")
    private List<String> methods = BenchmarkRequest.DEFAULT_METHODS;

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "1",
            description = "Training seeds per subject and method. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--protocol", paramLabel = "NAME", converter = ProtocolNames.class,
            completionCandidates = ProtocolNames.class,
            description = "${COMPLETION-CANDIDATES}: how scores are averaged. Both use the same images, so --collect "
                    + "with the other one takes seconds. Default: dreambooth, or that of the folder.")
    private @Nullable BenchmarkProtocol protocol;

    @Option(names = "--subjects", paramLabel = "NAMES", split = ",",
            description = "Of the data set, or NAME:CLASS for a folder that its list lacks. Default: all.")
    private List<String> subjects = List.of();

    @Option(names = "--prompts", paramLabel = "N", defaultValue = "25",
            description = "The first N prompts. Default: ${DEFAULT-VALUE}.")
    private int prompts;

    @Option(names = "--images", paramLabel = "N", defaultValue = "4",
            description = "Images per prompt. Default: ${DEFAULT-VALUE}.")
    private int images;

    @Option(names = "--dino", paramLabel = "FILE|FOLDER",
            description = "DINO's ViT, for the metric of that name: weights of transformers or timm, e.g. dino-vits16. "
                    + "Without it DINO is not measured.")
    private @Nullable Path dino;

    @Option(names = "--train-steps", paramLabel = "N",
            description = "Training steps of every run. Default: the method's.")
    private @Nullable Integer trainingSteps;

    @Option(names = "--learning-rate", paramLabel = "METHOD=X", description = "Default: the method's.")
    private Map<String, Double> learningRates = new LinkedHashMap<>();

    @Option(names = "--precision", paramLabel = "NAME", defaultValue = "fp32",
            converter = ExperimentPlanOptions.PrecisionNames.class,
            description = "Training precision, as in train: auto, fp32, bf16. Default: ${DEFAULT-VALUE}.")
    private PrecisionMode precision = PrecisionMode.FP32;

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    /// Whether an option that determines runs or settings was given.
    boolean isGiven(CommandSpec spec) {
        return spec.commandLine()
                .getParseResult()
                .matchedOptions()
                .stream()
                .map(OptionSpec::longestName)
                .anyMatch(name -> !OTHER_OPTIONS.contains(name));
    }

    Optional<BenchmarkProtocol> protocol() {
        return Optional.ofNullable(protocol);
    }

    BenchmarkRequest request(CommandContext context, CommandSpec spec) throws Failure {
        UsageError.requireBetween(spec, "--seeds", seeds, 1, 1000);
        if (trainingSteps != null && trainingSteps < 1)
            throw new UsageError(spec, "--train-steps: expected at least 1, found " + trainingSteps);
        for (String name : learningRates.keySet()) {
            if (!methods.contains(name) || name.equals(BenchmarkRun.UNTUNED))
                throw new UsageError(spec, "--learning-rate: expected a method of --methods ("
                        + String.join(", ", methods) + "), found " + name);
        }
        List<Path> folders = datasets.isEmpty() ? List.of(context.assets().folder().resolve("subjects")) : datasets;
        try {
            return new BenchmarkRequest(BenchmarkDataset.read(folders, subjects), methods, seeds,
                    trainingSteps == null ? OptionalInt.empty() : OptionalInt.of(trainingSteps), learningRates);
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
    }

    BenchmarkSettings settings(CommandContext context, CommandSpec spec, BenchmarkRequest request) throws Failure {
        UsageError.requireBetween(spec, "--images", images, 1, MAX_IMAGES);
        if (prompts < 1) throw new UsageError(spec, "--prompts: expected at least 1, found " + prompts);
        Path modelPath = context.modelPath(model).toAbsolutePath().normalize();
        DiffusionModel opened = new ModelReference(modelPath,
                ModelLoadOptions.ofTokenizerFolders(context.tokenizerLocations())).open();
        return new BenchmarkSettings(modelPath, new BaseModelHashes(context.home().baseHashes()).hash(opened),
                protocol().orElse(BenchmarkProtocol.DREAMBOOTH), request.dataset().prompts().first(prompts), images,
                new BenchmarkSettings.ImageSettings(sampling.settings(context, opened), sampling.negativePrompt()),
                precision, dino == null ? Optional.empty() : Optional.of(BenchmarkSettings.Encoder.ofDino(dino)));
    }

    private static final class ProtocolNames extends NamedValues<BenchmarkProtocol> {
        ProtocolNames() {
            super(BenchmarkProtocol.values(), BenchmarkProtocol::option);
        }
    }
}
