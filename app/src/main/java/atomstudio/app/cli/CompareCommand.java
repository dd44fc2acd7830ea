package atomstudio.app.cli;

import atomstudio.app.compare.ComparedRuns;
import atomstudio.app.compare.ComparisonRequest;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ExistingRuns;
import atomstudio.app.compare.ComparisonRequest.ImageOptions;
import atomstudio.app.compare.ComparisonRequest.TrainNewRuns;
import atomstudio.app.compare.PromptFile;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.PhotoFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `studio compare`: the same prompts and seeds from the base model and from tuned ones, side by side.
@Command(
        name = "compare",
        description = "Samples the same prompts and seeds from the base model and from tuned ones, and shows them side by side. "
                + "With --pictures it tunes atoms with a word, atoms+channels and lora first, or goes on where that stopped; with --run it compares finished runs.",
        footer = {"", "Examples:",
                "  studio compare --pictures photos --class car --prompts prompts.txt --seeds 4 --out car",
                "  studio compare --run runs/atoms --run runs/lora --prompts prompts.txt --seeds 2 --sampler euler --out both",
                "",
                "In a prompt, {} stands for the token and the class word (for the base model: the class word alone)."})
final class CompareCommand implements Callable<Integer> {
    private static final int MAX_SEEDS = 1000;

    private final CommandContext context;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private ComparisonSourceOptions source = new ComparisonSourceOptions();

    @Option(names = "--prompts", paramLabel = "FILE", required = true,
            description = "A prompt a line; empty lines are skipped.")
    private Path promptFile = Path.of("");

    @Option(names = "--seeds", paramLabel = "N", required = true, description = "Seeds 0 to N-1 for every prompt.")
    private int seedCount;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Option(names = "--out", paramLabel = "DIR", required = true,
            description = "Where sheet.png, index.html, compare.json and pictures/ go.")
    private Path out = Path.of("");

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    CompareCommand(CommandContext context) {
        this.context = context;
    }

    /// Either a subject to tune on, or runs.
    static final class ComparisonSourceOptions {
        @ArgGroup(exclusive = false)
        private @Nullable SubjectOptions subject;

        @Option(names = "--run", paramLabel = "RUN", required = true, arity = "1..*",
                description = "A finished run; repeat it for more. Model, class and token are the runs'.")
        private @Nullable List<Path> runs;
    }

    /// A subject to tune on.
    static final class SubjectOptions {
        @Option(names = "--pictures", paramLabel = "DIR", required = true,
                description = "A folder of pictures of the subject.")
        private Path photos = Path.of("");

        @Option(names = "--class", paramLabel = "WORD", required = true,
                description = "What the subject is, in a word that the model knows.")
        private String className = "";

        @Option(names = "--token", paramLabel = "WORD",
                description = "A word of no meaning that stands for the subject. Default: "
                        + TrainingRequest.DEFAULT_TOKEN + ".")
        private @Nullable String token;

        @Option(names = "--model", paramLabel = "DIR-OR-FILE", description = BaseModelOptions.MODEL_DESCRIPTION)
        private @Nullable Path model;

        @Option(names = "--vae", paramLabel = "DIR-OR-FILE", description = BaseModelOptions.VAE_DESCRIPTION)
        private @Nullable Path vae;

        @Option(names = "--tokenizer", paramLabel = "DIR", description = BaseModelOptions.TOKENIZER_DESCRIPTION)
        private @Nullable Path tokenizer;

        @Option(names = "--tune-steps", paramLabel = "N",
                description = "Training steps of each run. Default: what suits each method.")
        private @Nullable Integer trainingSteps;
    }

    @Override
    public Integer call() throws Failure {
        if (seedCount < 1 || seedCount > MAX_SEEDS)
            throw usageError("--seeds: expected 1 to " + MAX_SEEDS + ", found " + seedCount);
        List<String> promptTexts = PromptFile.read(promptFile);
        for (String text : promptTexts) rejectAdapterTags(sampling.prompt(text));
        List<Long> seedList = LongStream.range(0, seedCount).boxed().toList();
        ComparisonRequest request = source.subject != null ? requestForSubject(source.subject, promptTexts, seedList)
                : requestForRuns(source.runs == null ? List.of() : source.runs, promptTexts, seedList);
        return ComparisonRunner.run(context, request, device.device(),
                json ? ComparisonRunner.ComparisonFormat.JSON : ComparisonRunner.ComparisonFormat.LINES);
    }

    private ComparisonRequest requestForSubject(SubjectOptions options, List<String> promptTexts, List<Long> seedList)
            throws Failure {
        if (options.className.isBlank()) throw usageError("--class: expected a word, found nothing");
        if (options.token != null && options.token.isBlank())
            throw usageError("--token: expected a word, found nothing");
        if (options.trainingSteps != null && options.trainingSteps < 1)
            throw usageError("--tune-steps: expected at least 1, found " + options.trainingSteps);
        PhotoFiles.of(options.photos);
        ModelReference model = new ModelReference(context.modelPath(options.model),
                new ModelLoadOptions(sampling.prediction(), Optional.ofNullable(options.vae),
                        Optional.ofNullable(options.tokenizer), context.tokenizerLocations()));
        ComparedSubject subject = new ComparedSubject(options.className.strip(),
                options.token == null ? TrainingRequest.DEFAULT_TOKEN : options.token.strip());
        OptionalInt steps = options.trainingSteps == null ? OptionalInt.empty() : OptionalInt.of(options.trainingSteps);
        return new ComparisonRequest(model, subject, new TrainNewRuns(options.photos, steps), promptTexts, seedList,
                samplingFor(model), out);
    }

    private ComparisonRequest requestForRuns(List<Path> runs, List<String> promptTexts, List<Long> seedList)
            throws Failure {
        ComparedRuns givenRuns = ComparedRuns.read(runs, context.tokenizerLocations());
        return new ComparisonRequest(givenRuns.model(), givenRuns.subject(), new ExistingRuns(new ArrayList<>(runs)),
                promptTexts, seedList, samplingFor(givenRuns.model()), out);
    }

    private ImageOptions samplingFor(ModelReference model) throws Failure {
        return new ImageOptions(sampling.negativePrompt(), sampling.settings(context, model.open()));
    }

    /// Rows are runs, and nothing else is worn.
    private void rejectAdapterTags(PromptPair prompt) throws Failure {
        if (PromptAdapters.hasTags(prompt))
            throw new Failure.Incompatible(promptFile + ": \"" + prompt.positive()
                    + "\" names an adapter; expected prompts alone: rows of a comparison are runs, given with --run, and `generate` makes pictures with named adapters");
    }

    private ParameterException usageError(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
