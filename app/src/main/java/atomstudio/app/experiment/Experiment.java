package atomstudio.app.experiment;

import atomstudio.app.compare.ComparisonText;
import atomstudio.app.experiment.Experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.experiment.ExperimentRow.Cost;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.pipeline.EngineName;
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
import java.util.Set;
import java.util.concurrent.CancellationException;

/// Runs an experiment: trains every trial to each of its checkpoints, evaluates it with equal prompts and seeds, and
/// adds a row to the table. Existing rows are skipped, so an interrupted experiment continues.
public final class Experiment {
    /// Inputs and settings.
    /// @param photos       folder with one folder of photos per subject
    /// @param outputFolder the experiment's folder
    /// @param sampling     of every evaluated image
    /// @param precision    of training
    public record ExperimentSetup(ModelReference model, Path photos, Path outputFolder, Device device,
            BaseModelHashes hashes, Generation.GenerationSettings sampling, TrainingConfig.PrecisionMode precision) {
        public Path tableFile() {
            return outputFolder.resolve("experiment.csv");
        }

        /// Holds the training precision and sampling settings of the table in one line; rows of other settings are not
        /// comparable.
        Path settingsFile() {
            return outputFolder.resolve("settings.txt");
        }
    }

    /// How an experiment ended.
    /// @param failures one line for each trial that failed
    /// @param stopped  whether it was cancelled
    public record ExperimentResult(ExperimentTable table, List<String> failures, boolean stopped) {}

    private final ExperimentSetup setup;
    private final TrialTrainer trainer;
    private final ExperimentListener listener;
    private final Cancellation cancellation;
    private final List<String> failures = new ArrayList<>();
    private final Set<MethodVariant> unsupportedVariants = new HashSet<>();

    public Experiment(ExperimentSetup setup, TrialTrainer trainer, ExperimentListener listener,
            Cancellation cancellation) {
        this.setup = setup;
        this.trainer = trainer;
        this.listener = listener;
        this.cancellation = cancellation;
    }

    /// @throws Failure.Incompatible if the model has no image encoder, or the table has other settings
    public ExperimentResult run(ExperimentPlan plan) throws Failure {
        ExperimentTable table = ExperimentTable.open(setup.tableFile());
        for (Phase phase : plan.phases()) {
            for (ExperimentSubject trialSubject : plan.subjectsOf(phase)) photoFolder(trialSubject);
        }
        DiffusionModel model = setup.model().open();
        checkSettings(model);
        try (ImageGenerator generator = ImageGenerator.open(model, setup.device(), EngineName.AUTO,
                listener::note)) {
            ClipMetrics metrics = generator.clipMetrics()
                    .orElseThrow(() -> new Failure.Incompatible(setup.model().path()
                            + ": an experiment needs a model with a CLIP image encoder (image_encoder or "
                            + "safety_checker)"));
            Evaluator evaluator = new Evaluator(generator, metrics,
                    new Evaluator.OutputSettings(setup.outputFolder().resolve("pictures"), setup.sampling()),
                    cancellation);
            for (Phase phase : plan.phases()) run(plan, phase, table, evaluator);
            return new ExperimentResult(table, List.copyOf(failures), false);
        } catch (CancellationException cancelled) {
            return new ExperimentResult(table, List.copyOf(failures), true);
        }
    }

    /// @throws Failure.Incompatible if the table was created with other settings
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
            throw new Failure.Incompatible(
                    setup.outputFolder() + ": the table was created with other settings: expected "
                            + found + ", found " + requested + "; use the same settings, or another --out");
        }
    }

    private void run(ExperimentPlan plan, Phase phase, ExperimentTable table, Evaluator evaluator) throws Failure {
        for (ExperimentSubject subject : plan.subjectsOf(phase)) evaluateBaseModel(phase, subject, table, evaluator);
        List<Trial> trials = plan.trials(phase, table);
        for (int i = 0; i < trials.size(); i++) {
            Trial trial = trials.get(i);
            if (unsupportedVariants.contains(trial.variant())) continue;
            if (trial.settings().checkpointSteps().stream().allMatch(step -> table.contains(Key.of(trial, step))))
                continue;
            listener.trialStarted(i + 1, trials.size(), trial);
            run(trial, table, evaluator);
        }
    }

    /// The base model, prompted with the class alone and with trigger word and class.
    private void evaluateBaseModel(Phase phase, ExperimentSubject subject, ExperimentTable table, Evaluator evaluator)
            throws Failure {
        for (String method : List.of(Key.BASE_MODEL, Key.BASE_MODEL_WITH_TOKEN)) {
            Key key = Key.ofBaseModel(phase, subject, method);
            if (table.contains(key)) continue;
            String phrase = method.equals(Key.BASE_MODEL) ? subject.className()
                    : TrainingRequest.DEFAULT_TOKEN + " " + subject.className();
            ClipScores scores = evaluator.evaluate(
                    new Evaluator.EvaluatedSubject(subject, phrase, photoFolder(subject)), List.of(),
                    phase.label() + "/" + subject.name() + "/" + method);
            add(table, new ExperimentRow(key, subject.kind(), Cost.NONE, scores));
        }
    }

    private void run(Trial trial, ExperimentTable table, Evaluator evaluator) throws Failure {
        ExperimentSubject subject = trial.subject();
        Path runFolder = setup.outputFolder().resolve("runs").resolve(trial.folderName());
        for (int step : trial.settings().checkpointSteps()) {
            Key key = Key.of(trial, step);
            if (table.contains(key)) continue;
            TrialOutcome outcome = trainer.train(new TrialTrainer.TrialRequest(setup.model().path(),
                    photoFolder(subject), trial, step, runFolder), cancellation);
            switch (outcome) {
                case TrialOutcome.TrialCompleted _ -> {}
                case TrialOutcome.TrialStopped _ -> throw new CancellationException();
                case TrialOutcome.TrialFailed(String reason) -> {
                    skip(trial.folderName(), reason);
                    return;
                }
                case TrialOutcome.UnsupportedMethod(String reason) -> {
                    unsupportedVariants.add(trial.variant());
                    skip(trial.variant().name(), reason);
                    return;
                }
            }
            LoadedAdapter adapter = LoadedAdapter
                    .load(new RunFolder(runFolder).adapter(), evaluator.generator().model())
                    .getFirst();
            ClipScores scores = evaluator.evaluate(
                    new Evaluator.EvaluatedSubject(subject, adapter.source().triggerWords(), photoFolder(subject)),
                    List.of(new WeightedAdapter(adapter.adapter(), 1)), trial.folderName() + "/" + step);
            add(table, new ExperimentRow(key, subject.kind(), cost(runFolder), scores));
        }
    }

    private void skip(String what, String reason) {
        failures.add(what + ": " + reason);
        listener.note(what + " is skipped: " + reason);
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
            throw new Failure.Unreadable(folder + ": expected a folder with photos of the subject, found nothing");
        return folder;
    }

    /// Progress of an experiment. Called on the working thread.
    public interface ExperimentListener {
        /// @param number of the trial, from 1
        void trialStarted(int number, int total, Trial trial);

        void rowAdded(ExperimentRow row);

        /// A note for the user.
        void note(String line);
    }

    /// Trains or resumes one run up to a step.
    @FunctionalInterface
    public interface TrialTrainer {
        /// @param photos  of the subject
        /// @param endStep the step to stop at
        record TrialRequest(Path model, Path photos, Trial trial, int endStep, Path runFolder) {}

        /// How the training ended.
        sealed interface TrialOutcome {
            record TrialCompleted() implements TrialOutcome {}

            record TrialStopped() implements TrialOutcome {}

            /// @param reason the last output of the process
            record TrialFailed(String reason) implements TrialOutcome {}

            /// The method or one of its options is unknown.
            record UnsupportedMethod(String reason) implements TrialOutcome {}
        }

        /// @param cancellation checked several times a second
        TrialOutcome train(TrialRequest request, Cancellation cancellation) throws Failure;
    }
}
