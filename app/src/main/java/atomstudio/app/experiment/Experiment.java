package atomstudio.app.experiment;

import atomstudio.app.compare.ComparisonText;
import atomstudio.app.experiment.Experiment.TrialListener.Next;
import atomstudio.app.experiment.Experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.experiment.ExperimentRow.Cost;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/// Runs an experiment: tunes every trial to each of its checkpoints, samples the same prompts and seeds from it,
/// measures, and adds a row to the table. What the table has is not done again, so a killed experiment goes on where
/// it was.
public final class Experiment {
    /// What it works with.
    /// @param photos a folder with a folder of pictures for each subject
    /// @param outputFolder      the experiment's folder
    /// @param sampling  of every image that is measured
    /// @param precision of training
    public record ExperimentSetup(ModelReference model, Path photos, Path outputFolder, Device device,
            BaseModelHashes hashes, Generation.GenerationSettings sampling, TrainingConfig.PrecisionMode precision) {
        public Path tableFile() {
            return outputFolder.resolve("experiment.csv");
        }

        /// How the table's runs were trained and their images sampled, in one line; rows of other settings do not
        /// compare.
        Path settingsFile() {
            return outputFolder.resolve("settings.txt");
        }
    }

    /// How it ended.
    /// @param failures trials that could not be run, and why
    public record ExperimentResult(ExperimentTable table, List<String> failures, boolean stopped) {}

    private final ExperimentSetup setup;
    private final TrialTrainer trainer;
    private final TrialListener listener;
    private final List<String> failures = new ArrayList<>();
    private final Set<MethodVariant> unsupportedVariants = new HashSet<>();

    public Experiment(ExperimentSetup setup, TrialTrainer trainer, TrialListener listener) {
        this.setup = setup;
        this.trainer = trainer;
        this.listener = listener;
    }

    /// @throws Failure.Incompatible when the model has nothing to measure with
    public ExperimentResult run(ExperimentPlan plan) throws Failure {
        ExperimentTable table = ExperimentTable.open(setup.tableFile());
        for (Phase phase : plan.phases()) {
            for (ExperimentSubject trialSubject : plan.subjectsOf(phase)) photoFolder(trialSubject);
        }
        DiffusionModel model = setup.model().open();
        checkSettings(model);
        try (ImageGenerator generator = ImageGenerator.open(model, setup.device())) {
            ClipMetrics metrics = generator.clipMetrics()
                    .orElseThrow(() -> new Failure.Incompatible(setup.model().path()
                            + ": an experiment needs a model with a vision tower (image_encoder or safety_checker) to measure with"));
            Evaluator evaluator = new Evaluator(generator, metrics,
                    new Evaluator.OutputSettings(setup.outputFolder().resolve("pictures"), setup.sampling()),
                    () -> listener.next() == Next.STOP);
            for (Phase phase : plan.phases()) {
                if (run(plan, phase, table, evaluator) == Next.STOP)
                    return new ExperimentResult(table, List.copyOf(failures), true);
            }
            return new ExperimentResult(table, List.copyOf(failures), false);
        }
    }

    /// @throws Failure.Incompatible when the table was made with other settings
    private void checkSettings(DiffusionModel model) throws Failure {
        String requested = ComparisonText.samplingDetails(model.name(), setup.sampling()) + " · trained in "
                + setup.precision().option();
        Path file = setup.settingsFile();
        if (!Files.exists(file)) {
            AtomicFile.write(file, out -> out.write(requested.getBytes(StandardCharsets.UTF_8)));
            return;
        }
        String found;
        try {
            found = Files.readString(file).strip();
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        if (!found.equals(requested)) {
            throw new Failure.Incompatible(setup.outputFolder() + ": its table was made with " + found
                    + ", asked for is " + requested + "; ask for the same, or choose another --out");
        }
    }

    private Next run(ExperimentPlan plan, Phase phase, ExperimentTable table, Evaluator evaluator) throws Failure {
        for (ExperimentSubject trialSubject : plan.subjectsOf(phase)) {
            if (evaluateBaseModel(phase, trialSubject, table, evaluator) == Next.STOP) return Next.STOP;
        }
        List<Trial> trials = plan.trials(phase, table);
        for (int i = 0; i < trials.size(); i++) {
            Trial trial = trials.get(i);
            if (unsupportedVariants.contains(trial.variant())) continue;
            if (trial.settings().checkpointSteps().stream().allMatch(step -> table.contains(Key.of(trial, step))))
                continue;
            listener.trialStarted(i + 1, trials.size(), trial);
            if (run(trial, table, evaluator) == Next.STOP) return Next.STOP;
        }
        return Next.CONTINUE;
    }

    /// The model as it is, by the class word alone and with the token before it.
    private Next evaluateBaseModel(Phase phase, ExperimentSubject subject, ExperimentTable table, Evaluator evaluator)
            throws Failure {
        for (String method : List.of(Key.BASE_MODEL, Key.BASE_MODEL_WITH_TOKEN)) {
            Key key = Key.ofBaseModel(phase, subject, method);
            if (table.contains(key)) continue;
            String phrase = method.equals(Key.BASE_MODEL) ? subject.className()
                    : TrainingRequest.DEFAULT_TOKEN + " " + subject.className();
            Optional<ClipScores> measures = evaluator.evaluate(
                    new Evaluator.EvaluatedSubject(subject, phrase, photoFolder(subject)), List.of(),
                    phase.label() + "/" + subject.name() + "/" + method);
            if (measures.isEmpty()) return Next.STOP;
            add(table, new ExperimentRow(key, subject.kind(), Cost.NONE, measures.get()));
        }
        return Next.CONTINUE;
    }

    private Next run(Trial trial, ExperimentTable table, Evaluator evaluator) throws Failure {
        ExperimentSubject trialSubject = trial.subject();
        Path runFolder = setup.outputFolder().resolve("runs").resolve(trial.folderName());
        for (int step : trial.settings().checkpointSteps()) {
            Key key = Key.of(trial, step);
            if (table.contains(key)) continue;
            TrialOutcome outcome = trainer.train(new TrialTrainer.TrialRequest(setup.model().path(),
                    photoFolder(trialSubject), trial, step, runFolder), () -> listener.next() == Next.STOP);
            switch (outcome) {
                case TrialOutcome.TrialCompleted done -> {}
                case TrialOutcome.TrialStopped stopped -> {
                    return Next.STOP;
                }
                case TrialOutcome.TrialFailed(String reason) -> {
                    return skip(trial.folderName(), reason);
                }
                case TrialOutcome.UnsupportedMethod(String reason) -> {
                    unsupportedVariants.add(trial.variant());
                    return skip(trial.variant().name(), reason);
                }
            }
            LoadedAdapter adapter = LoadedAdapter
                    .load(new RunFolder(runFolder).adapter(), evaluator.generator().model())
                    .getFirst();
            Evaluator.EvaluatedSubject evaluated = new Evaluator.EvaluatedSubject(trialSubject,
                    adapter.source().triggerWords(), photoFolder(trialSubject));
            Optional<ClipScores> measures = evaluator.evaluate(evaluated,
                    List.of(new WeightedAdapter(adapter.adapter(), 1)), trial.folderName() + "/" + step);
            if (measures.isEmpty()) return Next.STOP;
            add(table, new ExperimentRow(key, trialSubject.kind(), cost(runFolder), measures.get()));
        }
        return Next.CONTINUE;
    }

    private Next skip(String what, String reason) {
        failures.add(what + ": " + reason);
        listener.note(what + " is left out: " + reason);
        return Next.CONTINUE;
    }

    private static Cost cost(Path runFolder) throws Failure {
        TrainingReport report = new RunFolder(runFolder).trainingReport()
                .orElseThrow(() -> new Failure.Unreadable(
                        runFolder + ": expected the report of a finished run, found none"));
        return new Cost(report.parameterCount(), report.bytes(), report.seconds(), report.peakMemory());
    }

    private void add(ExperimentTable table, ExperimentRow row) throws Failure {
        table.add(row);
        listener.rowAdded(row);
    }

    private Path photoFolder(ExperimentSubject subject) throws Failure {
        Path folder = setup.photos().resolve(subject.name());
        if (!Files.isDirectory(folder))
            throw new Failure.Unreadable(folder + ": expected a folder with pictures of the subject, found nothing");
        return folder;
    }

    /// Hears how an experiment goes on, on the thread that works: answer quickly.
    public interface TrialListener {
        enum Next { CONTINUE, STOP }

        /// A run begins, or is gone on with: so many of so many.
        void trialStarted(int number, int total, Trial trial);

        /// A row was added to the table.
        void rowAdded(ExperimentRow entry);

        /// A line for the person.
        void note(String line);

        /// Asked many times a second.
        Next next();
    }

    /// Tunes one run as far as a step, or goes on with it.
    @FunctionalInterface
    public interface TrialTrainer {
        /// What is to be tuned on which pictures, into which folder.
        /// @param endStep the step at which it ends this time
        record TrialRequest(Path model, Path photos, Trial trial, int endStep, Path runFolder) {}

        /// How it ended.
        sealed interface TrialOutcome {
            record TrialCompleted() implements TrialOutcome {}

            record TrialStopped() implements TrialOutcome {}

            /// In the words of the process.
            record TrialFailed(String reason) implements TrialOutcome {}

            /// The method is none that this program has.
            record UnsupportedMethod(String reason) implements TrialOutcome {}
        }

        /// @param stop asked many times a second
        TrialOutcome train(TrialRequest request, BooleanSupplier stop) throws Failure;
    }
}
