package atomstudio.app.experiment;

import atomstudio.app.cluster.RunLease;
import atomstudio.app.cluster.Shard;
import atomstudio.app.compare.ComparisonText;
import atomstudio.app.experiment.ExperimentRow.Cost;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.measure.ClipMetrics;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/// Runs an experiment: trains every trial to each of its checkpoints, evaluates it with equal prompts and seeds, and
/// adds a row to the table. Existing rows are skipped, so an interrupted experiment continues. Several processes, on
/// any machines, may share its folder.
public final class Experiment {
    /// What the processes of an experiment do not share.
    /// @param tokenizers folders to search for the tokenizer of a model without one
    public record ExperimentSetup(Device device, List<Path> tokenizers, TrialTrainer trainer) {
        public ExperimentSetup {
            tokenizers = List.copyOf(tokenizers);
        }
    }

    /// How the work ended.
    /// @param failures one line for each trial that failed
    /// @param busy     trials that other processes work on
    /// @param stopped  whether it was cancelled
    public record ExperimentResult(List<String> failures, int busy, boolean stopped) {
        public ExperimentResult {
            failures = List.copyOf(failures);
        }
    }

    /// Between looks at what other processes do.
    private static final Duration POLL_INTERVAL = Duration.ofSeconds(2);

    private final ExperimentFolder folder;
    private final ExperimentSettings settings;
    private final ExperimentSetup setup;
    private final ExperimentListener listener;
    private final Cancellation cancellation;
    private final List<String> failures = new ArrayList<>();
    private final Map<MethodVariant, String> unsupportedVariants = new HashMap<>();
    private final Set<Key> tabled = new HashSet<>();

    /// @param folder with a plan
    public Experiment(ExperimentFolder folder, ExperimentSetup setup, ExperimentListener listener,
            Cancellation cancellation) throws Failure {
        this.folder = folder;
        this.settings = folder.settings();
        this.setup = setup;
        this.listener = listener;
        this.cancellation = cancellation;
    }

    /// The settings of a table in one line.
    public static String details(ExperimentSettings settings, DiffusionModel model) {
        return ComparisonText.samplingDetails(model.name(), settings.sampling()) + " · trained in "
                + settings.precision().option();
    }

    /// Does all of it on this machine, with a table that grows row by row.
    /// @throws Failure.Incompatible if the model has no image encoder, or the table has other settings
    public ExperimentResult run() throws Failure {
        folder.clearFailures();
        ExperimentTable table = folder.collect(settings.plan());
        ExperimentResult result = work(Shard.ALL, table::add);
        folder.collect(settings.plan());
        return result;
    }

    /// Does a part. Before phase test it also does what is open in phase tune, and waits for what other processes do.
    public ExperimentResult work(Shard shard) throws Failure {
        return work(shard, _ -> {});
    }

    private interface RowConsumer {
        void accept(ExperimentRow row) throws Failure;
    }

    private ExperimentResult work(Shard shard, RowConsumer added) throws Failure {
        ExperimentPlan plan = settings.plan();
        for (Phase phase : plan.phases()) {
            for (ExperimentSubject trialSubject : plan.subjectsOf(phase)) photoFolder(trialSubject);
        }
        DiffusionModel model = new ModelReference(settings.model(),
                ModelLoadOptions.ofTokenizerFolders(setup.tokenizers())).open();
        folder.requireDetails(details(settings, model));
        ExperimentTable.open(folder.tableFile()).rows().forEach(row -> tabled.add(row.key()));
        try (ImageGenerator generator = ImageGenerator.open(model, setup.device(), EngineName.AUTO,
                listener::note)) {
            ClipMetrics metrics = generator.clipMetrics()
                    .orElseThrow(() -> new Failure.Incompatible(settings.model()
                            + ": an experiment needs a model with a CLIP image encoder (image_encoder or "
                            + "safety_checker)"));
            Evaluator evaluator = new Evaluator(generator, metrics,
                    new Evaluator.OutputSettings(folder.pictures(), settings.sampling()));
            int busy = 0;
            for (Phase phase : plan.phases()) {
                List<ExperimentUnit> units = folder.units(plan, phase), own = shard.of(units);
                busy = 0;
                for (int i = 0; i < own.size(); i++)
                    if (!execute(own.get(i), new Progress(i + 1, own.size(), added), evaluator)) busy++;
                if (phase != plan.phases().getLast()) finish(units, added, evaluator);
            }
            return new ExperimentResult(failures, busy, false);
        } catch (CancellationException cancelled) {
            return new ExperimentResult(failures, 0, true);
        }
    }

    /// @param number of the unit among those of this process, from 1
    private record Progress(int number, int total, RowConsumer added) {}

    /// Takes over what no process works on, and waits for the others.
    private void finish(List<ExperimentUnit> units, RowConsumer added, Evaluator evaluator) throws Failure {
        while (true) {
            List<ExperimentUnit> open = units.stream().filter(unit -> !isEnded(unit)).toList();
            if (open.isEmpty()) return;
            boolean worked = false;
            for (int i = 0; i < open.size(); i++)
                worked |= execute(open.get(i), new Progress(i + 1, open.size(), added), evaluator);
            if (worked) continue;
            cancellation.throwIfRequested();
            try {
                Thread.sleep(POLL_INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException();
            }
        }
    }

    /// A failed unit has ended until the experiment is started or submitted again.
    private boolean isEnded(ExperimentUnit unit) {
        return folder.hasFailed(unit) || unit.keys().stream().allMatch(this::hasRow);
    }

    private boolean hasRow(Key key) {
        return tabled.contains(key) || folder.hasRow(key);
    }

    /// @return false if another process works on it
    private boolean execute(ExperimentUnit unit, Progress progress, Evaluator evaluator) throws Failure {
        cancellation.throwIfRequested();
        if (isEnded(unit)) return true;
        Optional<RunLease> lease = RunLease.acquire(folder.rows(unit));
        if (lease.isEmpty()) return false;
        try (RunLease held = lease.get()) {
            if (isEnded(unit)) return true; // by another process since
            UnitWork work = new UnitWork(evaluator, progress.added,
                    () -> cancellation.isRequested() || held.isLost());
            switch (unit) {
                case ExperimentUnit.BaseEvaluation base -> work.evaluate(base);
                case Trial trial -> {
                    @Nullable String unsupported = unsupportedVariants.get(trial.variant());
                    if (unsupported != null) {
                        folder.writeFailure(trial, unsupported);
                        return true;
                    }
                    listener.trialStarted(progress.number, progress.total, trial);
                    work.run(trial);
                }
            }
            return true;
        }
    }

    /// The work on one unit.
    private final class UnitWork {
        private final Evaluator evaluator;
        private final RowConsumer added;
        private final Cancellation stop;

        UnitWork(Evaluator evaluator, RowConsumer added, Cancellation stop) {
            this.evaluator = evaluator;
            this.added = added;
            this.stop = stop;
        }

        /// The base model, prompted with the class alone or with trigger word and class.
        void evaluate(ExperimentUnit.BaseEvaluation base) throws Failure {
            ExperimentSubject subject = base.subject();
            String phrase = base.method().equals(Key.BASE_MODEL) ? subject.className()
                    : TrainingRequest.DEFAULT_TOKEN + " " + subject.className();
            ClipScores scores = evaluator.evaluate(
                    new Evaluator.EvaluatedSubject(subject, phrase, photoFolder(subject)), List.of(),
                    base.phase().label() + "/" + subject.name() + "/" + base.method(), stop);
            add(new ExperimentRow(base.keys().getFirst(), subject.kind(), Cost.NONE, scores));
        }

        void run(Trial trial) throws Failure {
            Path runFolder = folder.run(trial);
            for (int step : trial.settings().checkpointSteps()) {
                Key key = Key.of(trial, step);
                if (hasRow(key)) continue;
                TrialOutcome outcome = setup.trainer()
                        .train(new TrialTrainer.TrialRequest(settings.model(),
                                photoFolder(trial.subject()), trial, step, runFolder), stop);
                switch (outcome) {
                    case TrialOutcome.TrialCompleted _ -> {}
                    case TrialOutcome.TrialStopped _ -> throw new CancellationException();
                    case TrialOutcome.TrialFailed(String reason) -> {
                        folder.writeFailure(trial, reason);
                        skip(trial.folderName(), reason);
                        return;
                    }
                    case TrialOutcome.UnsupportedMethod(String reason) -> {
                        folder.writeFailure(trial, reason);
                        unsupportedVariants.put(trial.variant(), reason);
                        skip(trial.variant().name(), reason);
                        return;
                    }
                }
                evaluate(trial, step, runFolder);
            }
        }

        private void evaluate(Trial trial, int step, Path runFolder) throws Failure {
            LoadedAdapter adapter = LoadedAdapter
                    .load(new RunFolder(runFolder).adapter(), evaluator.generator().model())
                    .getFirst();
            ExperimentSubject subject = trial.subject();
            ClipScores scores = evaluator.evaluate(
                    new Evaluator.EvaluatedSubject(subject, adapter.source().triggerWords(), photoFolder(subject)),
                    List.of(new WeightedAdapter(adapter.adapter(), 1)), trial.folderName() + "/" + step, stop);
            add(new ExperimentRow(Key.of(trial, step), subject.kind(), cost(runFolder), scores));
        }

        private void add(ExperimentRow row) throws Failure {
            folder.write(row);
            added.accept(row);
            listener.rowAdded(row);
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

    private Path photoFolder(ExperimentSubject subject) throws Failure {
        Path folder = settings.photos().resolve(subject.name());
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
}
