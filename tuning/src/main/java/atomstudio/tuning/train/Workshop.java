package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.FileHashes;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.TorchEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// One run's engine and everything around the training loop: encoding before it, adapter and report after it.
final class Workshop implements AutoCloseable {
    private final RunFolder folder;
    private final RunInfo info;
    private final DiffusionModel model;
    private final Machine machine;
    private final TorchEngine engine;

    private Workshop(RunFolder folder, RunInfo info, DiffusionModel model, Machine machine) throws Failure {
        this.folder = folder;
        this.info = info;
        this.model = model;
        this.machine = machine;
        this.engine = TorchEngine.open(model, machine.device(), machine.torch());
    }

    static Workshop open(RunFolder folder, RunInfo info, DiffusionModel model, Machine machine) throws Failure {
        return new Workshop(folder, info, model, machine);
    }

    TuneOutcome train(Tuning.Session session) throws Failure {
        List<Layer> layers = Tuning.layers(model);
        ParameterLayout layout = ParameterLayout.of(info.method().method(), layers);
        TrainingState.Place here = place();
        TrainingState.Saved from = from(layout, here);
        int step = from.state().step();
        try (EventLog log = EventLog.resume(folder.eventLog(), step, from.state().watched())) {
            Journal journal = Journal.of(log, session.listener());
            journal.note(new TuneEvent.Start(step, info.training().steps(), here.device(), here.threads()));
            for (String line : session.notes()) journal.note(new TuneEvent.Note(step, line));
            if (!from.place().equals(here)) journal.note(otherPlace(from, here));
            try {
                return train(new Course(layout, layers, from), journal, new Gate(session.control(), journal));
            } catch (Failure | RuntimeException e) {
                fail(journal, e);
                throw e;
            }
        }
    }

    private TrainingState.Place place() {
        return new TrainingState.Place(machine.device().name().toLowerCase(Locale.ROOT), engine.threads());
    }

    /// What is trained, and from where.
    private record Course(ParameterLayout layout, List<Layer> layers, TrainingState.Saved from) {}

    private TuneOutcome train(Course course, Journal journal, Gate gate) throws Failure {
        TrainingState from = course.from.state();
        Previews previews = new Previews(folder, model, DiffusionPipeline.of(model, engine), info.subject());
        Optional<Datasets> found = datasets(course, previews, journal, gate);
        if (found.isEmpty()) {
            journal.note(new TuneEvent.Cancelled(from.step()));
            return new TuneOutcome.Stopped(from.step(), info.training().steps());
        }
        Datasets datasets = found.get();
        Passes passes = new Passes(datasets.subject(), datasets.prior(), info.training().seed());
        Map<String, Tensor> constants = course.from.constants();
        engine.derive(course.layout, constants);
        Computing computing = Computing.of(info.training().recipe(), model, machine.device(), new Computing.Trial(engine, course.layout, constants, passes, from));
        for (String line : notes(course, computing)) journal.note(new TuneEvent.Note(from.step(), line));
        try (DenoisingLoss differentiation = engine.denoisingLoss(computing.input(course.layout, constants));
                DenoisingLoss full = engine.denoisingLoss(computing.inFloat32().input(course.layout, constants))) {
            Trainer.Loss loss = computing.precision() == ComputeDtype.FP32 ? differentiation::gradient : new Resort(differentiation::gradient, full::gradient, journal);
            Optional<Validation> validation = validation(datasets, differentiation, previews, journal);
            Trainer.Setup setup = new Trainer.Setup(folder, info, course.layout, AdaptedLayer.of(course.layout.method(), course.layers), course.from.constants(), passes.banked(folder.bank(), differentiation::encoderFeatures), place());
            Trainer trainer = new Trainer(setup, new Trainer.Company(loss, engine.orthogonalization(), journal, previews, validation), computing.into(from));
            if (computing.reason().isPresent()) trainer.keep();
            Trainer.Reached reached = trainer.run(gate);
            return switch (reached.ending()) {
                case STOPPED -> new TuneOutcome.Stopped(reached.state().step(), info.training().steps());
                case ALL_STEPS, EARLY -> new TuneOutcome.Finished(finish(trainer, reached, journal));
            };
        }
    }

    /// What is trained on, encoded; what encoded it is released where no step needs it. Empty when told to stop.
    private Optional<Datasets> datasets(Course course, Previews previews, Journal journal, Gate gate) throws Failure {
        boolean spoken = Vocabulary.parts(course.layout).contains(ModelComponent.TEXT_ENCODER);
        boolean watching = info.training().previewEvery() > 0 || info.training().recipe().has(Recipe.Feature.VALIDATE) && info.subject().pictures().size() < Validation.ENOUGH;
        if (watching && !spoken) previews.embed();
        Encoder encoder = new Encoder(engine, model, vocabulary(course.layout).tokenizer(), spoken ? Encoder.Texts.READ : Encoder.Texts.EMBEDDED);
        PriorPictures others = new PriorPictures(machine, folder, info, model, previews.maker());
        Optional<Datasets> found = new Datasets.Maker(folder, info, encoder, others).make(gate, journal, course.from.state().step());
        if (found.isPresent()) {
            if (!spoken) engine.release(TorchEngine.Network.TEXT);
            engine.release(TorchEngine.Network.ENCODER);
        }
        return found;
    }

    /// What a person should know of how the run computes.
    private List<String> notes(Course course, Computing computing) throws Failure {
        List<String> notes = new ArrayList<>();
        long needed = MemoryEstimate.Predicted.of(info, model, course.layout, computing).bytes();
        StepRoom room = new StepRoom(machine.device());
        if (room.tooSmallFor(needed)) notes.add(shortOfMemory(needed, room.bytes()));
        int entries = info.training().recipe().material().bank();
        if (entries > 0) notes.add(String.format(Locale.ROOT, "the bank of %d noisy pictures takes %.2g GB in %s until the run is done", entries, Bank.bytes(model, entries, info.training().size()) / 1e9, folder.bank()));
        computing.reason().ifPresent(notes::add);
        RateAdvice.of(info.method(), info.training().recipe(), Tuning.parameters(model)).ifPresent(notes::add);
        return notes;
    }

    private static String shortOfMemory(long needed, long room) {
        return String.format(Locale.ROOT, "this run needs about %.1f GB and at most %.1f GB can be had: it may end for want of memory; `tune --dry-run` with the same options says what would make it fit", needed / 1e9, room / 1e9);
    }

    /// What the numbers are validated by, where that is asked for and can be done.
    private Optional<Validation> validation(Datasets datasets, DenoisingLoss differentiation, Previews previews, Journal journal) throws Failure {
        if (!info.training().recipe().has(Recipe.Feature.VALIDATE)) return Optional.empty();
        if (datasets.heldOut().isPresent()) return Optional.of(new Validation.HeldOut(datasets.heldOut().get(), differentiation::loss));
        Optional<Validation.PictureScore> score = LikenessAndAlignment.of(model, engine, Crops.read(folder, info.subject().pictures()), previews.prompt(info.subject().className()));
        if (score.isEmpty()) {
            journal.note(new TuneEvent.Note(folder.step(), "nothing is validated: that takes " + Validation.ENOUGH + " or more pictures, of which one is held out (here are " + info.subject().pictures().size()
                    + "), or a model that brings CLIP's encoders of pictures and texts"));
        }
        return score.map(Validation.Scored::new);
    }

    /// The checkpoint, or the method's start.
    private TrainingState.Saved from(ParameterLayout layout, TrainingState.Place here) throws Failure {
        if (Files.isRegularFile(folder.checkpoint())) return TrainingState.read(folder.checkpoint(), layout, info);
        ParameterLayout.Initialization beginning = new ParameterLayout.Initialization(engine::tensor, info.training().seed(), vocabulary(layout).classTokens());
        Map<String, Tensor> constants = layout.frozenValues(beginning);
        return new TrainingState.Saved(TrainingState.start(layout.initialVector(beginning)), constants, here);
    }

    private Vocabulary vocabulary(ParameterLayout layout) throws Failure {
        return Vocabulary.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    private static TuneEvent otherPlace(TrainingState.Saved from, TrainingState.Place here) {
        return new TuneEvent.Note(from.state().step(), "went on with " + here.device() + " and " + here.threads() + " thread(s) after " + from.place().device() + " and "
                + from.place().threads() + ": the result may differ in its last bits from a run without this change");
    }

    /// The adapter is the best by validation, where there was one.
    private Report finish(Trainer trainer, Trainer.Reached reached, Journal journal) throws Failure {
        TrainingState state = reached.state();
        boolean best = trainer.best() > 0 && Files.isRegularFile(folder.best());
        AdapterFile adapter = best ? AdapterFile.read(folder.best()) : trainer.adapter(state);
        if (reached.ending() == Trainer.Ending.EARLY) journal.note(new TuneEvent.Note(state.step(), "ended early after step " + state.step() + ": nothing was better than step " + trainer.best()));
        if (best && trainer.best() < state.step()) journal.note(new TuneEvent.Note(state.step(), "the adapter is that of step " + trainer.best() + ", the best by validation"));
        adapter.write(folder.adapter());
        long bytes;
        try {
            bytes = Files.size(folder.adapter());
        } catch (IOException e) {
            throw new Failure.Unreadable(folder.adapter() + ": cannot be read back: " + e.getMessage(), e);
        }
        double share = (double) info.numbers() / Tuning.parameters(model);
        Report.Written written = new Report.Written(bytes, Optional.of(FileHashes.compute(folder.adapter())));
        OptionalDouble loss = Double.isFinite(state.loss()) ? OptionalDouble.of(state.loss()) : OptionalDouble.empty();
        Report report = new Report(info.numbers(), written, state.seconds(), state.step(), loss, share, ProcessMemory.peakResident(), best ? OptionalInt.of(trainer.best()) : OptionalInt.empty());
        report.write(folder.report());
        Bank.remove(folder.bank());
        journal.note(new TuneEvent.Done(state.step(), state.loss(), report.numbers(), bytes, state.seconds()));
        return report;
    }

    /// Writes down why, where that is still possible.
    private void fail(Journal journal, Exception why) {
        try {
            journal.note(new TuneEvent.Failed(folder.step(), String.valueOf(why.getMessage())));
        } catch (Failure e) {
            why.addSuppressed(e);
        }
    }

    @Override public void close() {
        engine.close();
    }
}
