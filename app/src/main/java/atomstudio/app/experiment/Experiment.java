package atomstudio.app.experiment;

import atomstudio.app.compare.ComparisonText;
import atomstudio.app.experiment.Entry.Cost;
import atomstudio.app.experiment.Entry.Key;
import atomstudio.app.experiment.ExperimentListener.Next;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.experiment.TrialTuner.Ended;
import atomstudio.app.jobs.LoadedAdapter;
import atomstudio.app.jobs.PictureMaker;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.NamedModel;
import atomstudio.diffusion.tensor.AtomicFile;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.measure.Measures;
import atomstudio.tuning.measure.Ruler;
import atomstudio.tuning.train.Recipe;
import atomstudio.tuning.train.Report;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.TuneRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Runs an experiment: tunes every trial to each of its checkpoints, samples the same prompts and seeds from it, measures, and adds a row
/// to the table. What the table has is not done again, so a killed experiment goes on where it was.
public final class Experiment {
    /// What it works with.
    /// @param pictures a folder with a folder of pictures for each subject
    /// @param out      the experiment's folder
    /// @param sampling  of every image that is measured
    /// @param precision of training
    public record Setup(NamedModel model, Path pictures, Path out, Device device, BaseHashes hashes, Generation.Settings sampling, Recipe.Precision precision) {
        public Path table() {
            return out.resolve("experiment.csv");
        }

        /// How the table's runs were trained and their images sampled, in one line; rows of other settings do not compare.
        Path settings() {
            return out.resolve("settings.txt");
        }
    }

    /// How it ended.
    /// @param refused trials that could not be run, and why
    public record Result(Table table, List<String> refused, boolean stopped) {}

    private final Setup setup;
    private final TrialTuner tuner;
    private final ExperimentListener listener;
    private final List<String> refused = new ArrayList<>();
    private final Set<Variant> unknown = new HashSet<>();

    public Experiment(Setup setup, TrialTuner tuner, ExperimentListener listener) {
        this.setup = setup;
        this.tuner = tuner;
        this.listener = listener;
    }

    /// @throws Failure.Incompatible when the model has nothing to measure with
    public Result run(Plan plan) throws Failure {
        Table table = Table.open(setup.table());
        for (Phase phase : plan.phases()) {
            for (Thing thing : plan.things(phase)) pictures(thing);
        }
        ModelFolder model = setup.model().open();
        checkSettings(model);
        try (PictureMaker maker = PictureMaker.open(model, setup.device())) {
            Ruler ruler = maker.ruler().orElseThrow(() -> new Failure.Incompatible(setup.model().place() + ": an experiment needs a model with a vision tower (image_encoder or safety_checker) to measure with"));
            Looks looks = new Looks(maker, ruler, new Looks.Output(setup.out().resolve("pictures"), setup.sampling()), () -> listener.next() == Next.STOP);
            for (Phase phase : plan.phases()) {
                if (run(plan, phase, table, looks) == Next.STOP) return new Result(table, List.copyOf(refused), true);
            }
            return new Result(table, List.copyOf(refused), false);
        }
    }

    /// @throws Failure.Incompatible when the table was made with other settings
    private void checkSettings(ModelFolder model) throws Failure {
        String asked = ComparisonText.samplingDetails(model.name(), setup.sampling()) + " · trained in " + setup.precision().option();
        Path file = setup.settings();
        if (!Files.exists(file)) {
            AtomicFile.write(file, out -> out.write(asked.getBytes(StandardCharsets.UTF_8)));
            return;
        }
        String found;
        try {
            found = Files.readString(file).strip();
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        if (!found.equals(asked)) {
            throw new Failure.Incompatible(setup.out() + ": its table was made with " + found + ", asked for is " + asked + "; ask for the same, or choose another --out");
        }
    }

    private Next run(Plan plan, Phase phase, Table table, Looks looks) throws Failure {
        for (Thing thing : plan.things(phase)) {
            if (untuned(phase, thing, table, looks) == Next.STOP) return Next.STOP;
        }
        List<Trial> trials = plan.trials(phase, table);
        for (int i = 0; i < trials.size(); i++) {
            Trial trial = trials.get(i);
            if (unknown.contains(trial.variant())) continue;
            if (trial.settings().looks().stream().allMatch(step -> table.has(Key.of(trial, step)))) continue;
            listener.trial(i + 1, trials.size(), trial);
            if (run(trial, table, looks) == Next.STOP) return Next.STOP;
        }
        return Next.CONTINUE;
    }

    /// The model as it is, by the class word alone and with the token before it.
    private Next untuned(Phase phase, Thing thing, Table table, Looks looks) throws Failure {
        for (String method : List.of(Key.UNTUNED, Key.UNTUNED_TOKEN)) {
            Key key = Key.untuned(phase, thing, method);
            if (table.has(key)) continue;
            String phrase = method.equals(Key.UNTUNED) ? thing.className() : TuneRequest.TOKEN + " " + thing.className();
            Optional<Measures> measures = looks.at(new Looks.Subject(thing, phrase, pictures(thing)), List.of(), phase.word() + "/" + thing.name() + "/" + method);
            if (measures.isEmpty()) return Next.STOP;
            add(table, new Entry(key, thing.kind(), Cost.NONE, measures.get()));
        }
        return Next.CONTINUE;
    }

    private Next run(Trial trial, Table table, Looks looks) throws Failure {
        Thing thing = trial.thing();
        Path run = setup.out().resolve("runs").resolve(trial.folder());
        for (int step : trial.settings().looks()) {
            Key key = Key.of(trial, step);
            if (table.has(key)) continue;
            Ended ended = tuner.tune(new TrialTuner.Order(setup.model().place(), pictures(thing), trial, step, run), () -> listener.next() == Next.STOP);
            switch (ended) {
                case Ended.Done done -> { }
                case Ended.Stopped stopped -> {
                    return Next.STOP;
                }
                case Ended.Refused(String why) -> {
                    return leaveOut(trial.folder(), why);
                }
                case Ended.Unknown(String why) -> {
                    unknown.add(trial.variant());
                    return leaveOut(trial.variant().name(), why);
                }
            }
            LoadedAdapter adapter = LoadedAdapter.load(new RunFolder(run).adapter(), looks.maker().model()).getFirst();
            Looks.Subject subject = new Looks.Subject(thing, adapter.source().words(), pictures(thing));
            Optional<Measures> measures = looks.at(subject, List.of(new Applied(adapter.adapter(), 1)), trial.folder() + "/" + step);
            if (measures.isEmpty()) return Next.STOP;
            add(table, new Entry(key, thing.kind(), cost(run), measures.get()));
        }
        return Next.CONTINUE;
    }

    private Next leaveOut(String what, String why) {
        refused.add(what + ": " + why);
        listener.note(what + " is left out: " + why);
        return Next.CONTINUE;
    }

    private static Cost cost(Path run) throws Failure {
        Report report = new RunFolder(run).result().orElseThrow(() -> new Failure.Unreadable(run + ": expected the report of a finished run, found none"));
        return new Cost(report.numbers(), report.bytes(), report.seconds(), report.peakMemory());
    }

    private void add(Table table, Entry entry) throws Failure {
        table.add(entry);
        listener.entry(entry);
    }

    private Path pictures(Thing thing) throws Failure {
        Path folder = setup.pictures().resolve(thing.name());
        if (!Files.isDirectory(folder)) throw new Failure.Unreadable(folder + ": expected a folder with pictures of the subject, found nothing");
        return folder;
    }
}
