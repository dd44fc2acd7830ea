package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.torch.Differentiation;
import atomstudio.tuning.torch.TorchEngine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A few steps of a run that is not made: they say how long its steps take, and what they hold. The largest of the pictures stands for
/// all, and for those of its class.
record Rehearsal(RunInfo info, ModelFolder model, Machine machine) {
    /// The first one, which compiles and allocates, is not counted.
    private static final int STEPS = 4;
    /// With a bank the first of these fill it, the others find it filled.
    private static final int FILLING = 2;

    Estimate run(Preparation preparation) throws Failure {
        SlotLayout layout = SlotLayout.of(info.method().method(), Tuning.layers(model));
        MemoryEstimate predicted = MemoryEstimate.Predicted.of(info, model, layout, Computing.expected(info.training().recipe(), model));
        if (room().tooSmallFor(predicted.bytes())) return estimate(predicted, new Estimate.Time(0, 0, 0));     // trying could end more than this
        try (TorchEngine engine = TorchEngine.open(model, machine.device(), machine.torch())) {
            long start = System.nanoTime();
            Dataset dataset = dataset(preparation, layout, engine);
            double encoding = (System.nanoTime() - start) / 1e9;
            double[] seconds = steps(dataset, layout, engine);
            OptionalInt bank = dataset.drawing().bank();
            double step = median(Arrays.copyOfRange(seconds, bank.isEmpty() ? 1 : FILLING, seconds.length));
            double before = encoding * (preparation.subject().prepared().size() + preparation.prior().prepared().size());
            if (bank.isPresent()) before += Math.min(bank.getAsInt(), info.training().steps()) * Math.max(0, seconds[FILLING - 1] - step);
            return estimate(new MemoryEstimate.Measured(STEPS, room().peak()), new Estimate.Time(step, before, before + info.training().steps() * step));
        } catch (Failure.OutOfMemory e) {
            Estimate.Memory none = new Estimate.Memory(room().bytes() + 1, "a first step did not fit", room().bytes());
            return new Estimate(info.numbers(), share(), none, new Estimate.Time(0, 0, 0), advice());
        }
    }

    private Estimate estimate(MemoryEstimate memory, Estimate.Time time) {
        Estimate.Memory found = new Estimate.Memory(memory.bytes(), memory.source(), room().bytes());
        return new Estimate(info.numbers(), share(), found, time, found.fits() ? List.of() : advice());
    }

    private StepRoom room() {
        return new StepRoom(machine.device());
    }

    private double share() {
        return (double) info.numbers() / Tuning.parameters(model);
    }

    private Dataset dataset(Preparation preparation, SlotLayout layout, TorchEngine engine) throws Failure {
        Crops.Prepared largest = preparation.subject().prepared().stream().max(Comparator.comparingInt(each -> each.picture().argb().length)).orElseThrow();
        boolean spoken = Vocabulary.parts(layout).contains(Part.TEXT);
        Encoder encoder = new Encoder(engine, model, vocabulary(layout).tokenizer(), spoken ? Encoder.Texts.READ : Encoder.Texts.EMBEDDED);
        Dataset.Drawing drawing = Dataset.Drawing.of(info.training().recipe(), info.training(), model);
        Encoder.Source source = new Encoder.Source("", new Crops(List.of(largest), List.of()), info.subject().captions(), drawing);
        Dataset dataset = encoder.encode(source, Gate.open(), 0).orElseThrow();
        if (!spoken) engine.release(TorchEngine.Network.TEXT);
        engine.release(TorchEngine.Network.ENCODER);
        return dataset;
    }

    private Vocabulary vocabulary(SlotLayout layout) throws Failure {
        return Vocabulary.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    private double[] steps(Dataset dataset, SlotLayout layout, TorchEngine engine) throws Failure {
        long seed = info.training().seed();
        SlotLayout.Beginning beginning = new SlotLayout.Beginning(engine::tensor, seed, vocabulary(layout).classTokens());
        Map<String, Tensor> constants = layout.constants(beginning);
        TrainingState state = TrainingState.start(layout.start(beginning));
        Optimizer optimizer = Optimizers.of(info.training().recipe(), layout, state, engine.orthogonalization());
        List<LearningRates.Group> groups = Optimizers.groups(info.training().recipe(), info.method(), layout);
        Passes plain = new Passes(dataset, info.training().recipe().weighing().prior().map(prior -> dataset), seed);
        double[] seconds = new double[STEPS];
        Computing computing = Computing.of(info.training().recipe(), model, machine.device(), new Computing.Trial(engine, layout, layout.complete(constants, engine::tensor), plain, state));
        try (TemporaryPath bank = scratch();
                Differentiation differentiation = engine.differentiation(computing.input(layout, layout.complete(constants, engine::tensor)))) {
            Passes passes = plain.banked(bank.path(), differentiation::lower);
            for (int step = 0; step < STEPS; step++) {
                long start = System.nanoTime();
                Differentiation.Gradient gradient = passes.gradient(differentiation::gradient, state.numbers(), passes.bank().isEmpty() ? step : step % FILLING);
                AdamW.clip(gradient.vector(), 1);
                optimizer.step(state.numbers(), gradient.vector(), new LearningRates(info.training().recipe().course().rate(step), groups));
                seconds[step] = (System.nanoTime() - start) / 1e9;
            }
        }
        return seconds;
    }

    private static TemporaryPath scratch() throws Failure {
        try {
            return TemporaryPath.folder("estimate");
        } catch (IOException e) {
            throw new Failure.Unwritable("no folder for a trial can be made in " + System.getProperty("java.io.tmpdir") + ": " + e.getMessage(), e);
        }
    }

    private static double median(double[] numbers) {
        Arrays.sort(numbers);
        int middle = numbers.length / 2;
        return numbers.length % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
    }

    /// What takes less memory than what was asked for.
    private List<String> advice() {
        RunInfo.Training training = info.training();
        List<String> advice = new ArrayList<>();
        if (training.batch() > 1) advice.add("--batch 1 --accumulate " + training.batch() * training.recipe().update().accumulate() + ": one picture at a time, the same steps");
        if (!training.recipe().has(Recipe.Feature.CHECKPOINTING)) advice.add("--checkpointing: activations are computed again instead of kept");
        Optional<Integer> smaller = smaller(training.size());
        smaller.ifPresent(size -> advice.add("--size " + size + ": smaller pictures"));
        advice.add("--layers up: fewer layers, those near the output");
        return advice;
    }

    /// Three quarters of a side.
    private Optional<Integer> smaller(int size) {
        int factor = 8 * model.vae().factor();
        int smaller = size * 3 / 4 / factor * factor;
        return smaller >= factor && smaller < size ? Optional.of(smaller) : Optional.empty();
    }
}
