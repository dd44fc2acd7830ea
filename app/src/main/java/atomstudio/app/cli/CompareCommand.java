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
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.PhotoFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `studio compare`: the same prompts and seeds with the base model and with several runs.
@Command(
        name = "compare",
        description = "Generates the same prompts and seeds with the base model and with several runs, side by side. "
                + "With --photos it first trains atoms+word, atoms+channels and lora, or resumes them; "
                + "with --run it compares finished runs.",
        footer = {"", "Examples:",
                "  studio compare --photos my-car --class car --prompts prompts.txt --seeds 4 --out car",
                "  studio compare --run runs/atoms --run runs/lora --prompts prompts.txt --seeds 2 --out both",
                "",
                "In a prompt, {} stands for the trigger word and the class; for the base model it is the class alone."})
final class CompareCommand implements Callable<Integer> {
    private static final int MAX_SEEDS = 1000;

    private final CommandContext context;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private ComparisonSourceOptions source = new ComparisonSourceOptions();

    @Option(names = "--prompts", paramLabel = "FILE", required = true,
            description = "One prompt per line; empty lines are skipped.")
    private Path promptFile = Path.of("");

    @Option(names = "--seeds", paramLabel = "N", required = true, description = "Seeds 0 to N-1 for every prompt.")
    private int seedCount;

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Option(names = "--out", paramLabel = "DIR", required = true,
            description = "Folder for sheet.png, index.html, scores.csv, compare.json and pictures/.")
    private Path out = Path.of("");

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    CompareCommand(CommandContext context) {
        this.context = context;
    }

    /// A subject to train on, or finished runs.
    static final class ComparisonSourceOptions {
        @ArgGroup(exclusive = false)
        private @Nullable SubjectOptions subject;

        @Option(names = "--run", paramLabel = "RUN", required = true, arity = "1..*",
                description = "A finished run; can be repeated. Model, class and trigger word are those of the runs.")
        private @Nullable List<Path> runs;
    }

    /// A subject to train on.
    static final class SubjectOptions {
        @Option(names = "--photos", paramLabel = "DIR", required = true,
                description = "Folder with photos of the subject.")
        private Path photos = Path.of("");

        @Option(names = "--class", paramLabel = "WORD", required = true,
                description = "What the subject is, in a word that the model knows.")
        private String className = "";

        @Option(names = "--trigger-word", paramLabel = "WORD",
                description = "A rare word that stands for the subject. Default: " + TrainingRequest.DEFAULT_TOKEN
                        + ".")
        private String triggerWord = TrainingRequest.DEFAULT_TOKEN;

        @ArgGroup(exclusive = false)
        private BaseModelOptions model = new BaseModelOptions();

        @Option(names = "--train-steps", paramLabel = "N",
                description = "Training steps of each run. Default: the method's.")
        private @Nullable Integer trainingSteps;
    }

    @Override
    public Integer call() throws Failure {
        UsageError.requireBetween(spec, "--seeds", seedCount, 1, MAX_SEEDS);
        List<String> promptTexts = PromptFile.read(promptFile);
        for (String text : promptTexts) rejectAdapterTags(sampling.prompt(text));
        List<Long> seedList = LongStream.range(0, seedCount).boxed().toList();
        ComparisonRequest request = source.subject != null ? requestForSubject(source.subject, promptTexts, seedList)
                : requestForRuns(source.runs == null ? List.of() : source.runs, promptTexts, seedList);
        return ComparisonRunner.run(context, request, device.deviceForTrainingToo(context), output);
    }

    private ComparisonRequest requestForSubject(SubjectOptions options, List<String> promptTexts, List<Long> seedList)
            throws Failure {
        if (options.className.isBlank()) throw new UsageError(spec, "--class: expected a word, found nothing");
        if (options.triggerWord.isBlank()) throw new UsageError(spec, "--trigger-word: expected a word, found nothing");
        if (options.trainingSteps != null && options.trainingSteps < 1)
            throw new UsageError(spec, "--train-steps: expected at least 1, found " + options.trainingSteps);
        PhotoFiles.of(options.photos);
        ModelReference model = options.model.reference(context, sampling.prediction());
        ComparedSubject subject = new ComparedSubject(options.className.strip(), options.triggerWord.strip());
        OptionalInt steps = options.trainingSteps == null ? OptionalInt.empty() : OptionalInt.of(options.trainingSteps);
        return new ComparisonRequest(model, subject, new TrainNewRuns(options.photos, steps), promptTexts, seedList,
                samplingFor(model), out);
    }

    private ComparisonRequest requestForRuns(List<Path> runs, List<String> promptTexts, List<Long> seedList)
            throws Failure {
        ComparedRuns compared = ComparedRuns.read(runs, context.tokenizerLocations());
        return new ComparisonRequest(compared.model(), compared.subject(), new ExistingRuns(runs), promptTexts,
                seedList, samplingFor(compared.model()), out);
    }

    private ImageOptions samplingFor(ModelReference model) throws Failure {
        return new ImageOptions(sampling.negativePrompt(), sampling.settings(context, model.open()));
    }

    /// Each row has the adapter of its run and no other.
    private void rejectAdapterTags(PromptPair prompt) throws Failure {
        if (PromptAdapters.hasTags(prompt))
            throw new Failure.Incompatible(promptFile + ": \"" + prompt.positive()
                    + "\" names an adapter; expected prompts without adapters: give finished runs with --run, or use "
                    + "`studio generate`");
    }
}
