package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.TextToImage;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.adapter.TunedLayer;
import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.torch.Differentiation;
import atomstudio.tuning.torch.DifferentiationInput;
import atomstudio.tuning.torch.TorchEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// One run's engine and everything around the training loop: encoding before it, adapter and report after it.
final class Workshop implements AutoCloseable {
    private final RunFolder folder;
    private final RunInfo info;
    private final ModelFolder model;
    private final Machine machine;
    private final TorchEngine engine;

    private Workshop(RunFolder folder, RunInfo info, ModelFolder model, Machine machine) throws Failure {
        this.folder = folder;
        this.info = info;
        this.model = model;
        this.machine = machine;
        this.engine = TorchEngine.open(model, machine.device(), machine.torch());
    }

    static Workshop open(RunFolder folder, RunInfo info, ModelFolder model, Machine machine) throws Failure {
        return new Workshop(folder, info, model, machine);
    }

    TuneOutcome train(Tuning.Session session) throws Failure {
        List<Layer> layers = Tuning.layers(model);
        SlotLayout layout = SlotLayout.of(info.method().method(), layers);
        TrainingState.Place here = new TrainingState.Place(machine.device().name().toLowerCase(Locale.ROOT), engine.threads());
        TrainingState.Saved from = from(layout, here);
        try (EventLog log = EventLog.resume(folder.eventLog(), from.state().step())) {
            Journal journal = new Journal(log, session.listener());
            journal.note(new TuneEvent.Start(from.state().step(), info.training().steps(), here.device(), here.threads()));
            if (!from.place().equals(here)) journal.note(otherPlace(from, here));
            try {
                return train(layout, layers, from, journal, session.control());
            } catch (Failure | RuntimeException e) {
                fail(journal, e);
                throw e;
            }
        }
    }

    private TuneOutcome train(SlotLayout layout, List<Layer> layers, TrainingState.Saved from, Journal journal, Control control) throws Failure {
        TextToImage maker = TextToImage.of(model, engine);
        Previews previews = new Previews(folder, model, maker, info.subject());
        boolean spoken = Vocabulary.parts(layout).contains(Part.TEXT);
        if (info.training().previewEvery() > 0 && !spoken) previews.embed();
        Noising noising = new Noising(NoiseSchedule.of(model.scheduler()), model.scheduler().prediction());
        Tokenizer tokenizer = vocabulary(layout).tokenizer();
        List<String> captions = info.subject().captions();
        Wording wording = spoken ? Wording.read(captions, tokenizer) : Wording.embedded(captions, tokenizer, engine);
        Dataset.Encoding encoding = new Dataset.Encoding(engine, model.vae().scalingFactor(), wording, noising);
        Dataset dataset = Dataset.encode(Crops.read(folder, info.subject().pictures()).pictures(), captions, encoding);
        if (!spoken) engine.release(TorchEngine.Network.TEXT);
        engine.release(TorchEngine.Network.ENCODER);
        TrainingState.Place here = new TrainingState.Place(machine.device().name().toLowerCase(Locale.ROOT), engine.threads());
        Trainer.Setup setup = new Trainer.Setup(folder, info, layout, TunedLayer.of(layout.method(), layers), from.constants(), dataset, here);
        try (Differentiation differentiation = engine.differentiation(new DifferentiationInput(layout, from.constants()))) {
            Trainer trainer = new Trainer(setup, differentiation::gradient, journal, previews, from.state());
            TrainingState reached = trainer.run(control);
            if (reached.step() < info.training().steps()) return new TuneOutcome.Stopped(reached.step(), info.training().steps());
            return new TuneOutcome.Finished(finish(trainer.adapter(reached), reached, journal));
        }
    }

    /// The checkpoint, or the method's start.
    private TrainingState.Saved from(SlotLayout layout, TrainingState.Place here) throws Failure {
        if (Files.isRegularFile(folder.checkpoint())) return TrainingState.read(folder.checkpoint(), layout);
        long seed = info.training().seed();
        Map<String, Tensor> constants = layout.constants(engine::tensor, seed);
        return new TrainingState.Saved(TrainingState.start(layout.start(engine::tensor, seed)), constants, here);
    }

    private Vocabulary vocabulary(SlotLayout layout) throws Failure {
        return Vocabulary.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    private static TuneEvent otherPlace(TrainingState.Saved from, TrainingState.Place here) {
        return new TuneEvent.Note(from.state().step(), "went on with " + here.device() + " and " + here.threads() + " thread(s) after " + from.place().device() + " and "
                + from.place().threads() + ": the result may differ in its last bits from a run without this change");
    }

    private Report finish(AdapterFile adapter, TrainingState reached, Journal journal) throws Failure {
        adapter.write(folder.adapter());
        long bytes;
        try {
            bytes = Files.size(folder.adapter());
        } catch (IOException e) {
            throw new Failure.Unreadable(folder.adapter() + ": cannot be read back: " + e.getMessage(), e);
        }
        double share = (double) info.numbers() / Tuning.parameters(model);
        Report report = new Report(info.numbers(), bytes, reached.seconds(), reached.step(), reached.loss(), share, ResidentMemory.peak());
        report.write(folder.report());
        journal.note(new TuneEvent.Done(reached.step(), reached.loss(), report.numbers(), bytes, reached.seconds()));
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
