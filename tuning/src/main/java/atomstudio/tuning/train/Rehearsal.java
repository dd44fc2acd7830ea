package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TorchEngine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A few steps of a run that is not made, with a validation and a preview where it has any: they say how long these take, and what they hold. The largest of the pictures stands for
/// all, and for those of its class.
record Rehearsal(RunInfo info, DiffusionModel model, Machine machine) {
    /// The first one, which compiles and allocates, is not counted.
    private static final int STEPS = 4;
    /// With a bank the first of these fill it, the others find it filled.
    private static final int FILLING = 2;
    /// Of the pictures that are sampled on trial.
    private static final int FEW_STEPS = 2;

    Estimate run(Preparation preparation) throws Failure {
        ParameterLayout layout = ParameterLayout.of(info.method().method(), Tuning.layers(model));
        MemoryEstimate predicted = MemoryEstimate.Predicted.of(info, model, layout, Computing.expected(info.training().recipe(), model));
        if (room().tooSmallFor(predicted.bytes())) return estimate(predicted, new Estimate.Time(0, 0, 0));     // trying could end more than this
        try (TorchEngine engine = TorchEngine.open(model, machine.device(), machine.torch())) {
            long start = System.nanoTime();
            Dataset dataset = dataset(preparation, layout, engine);
            double encoding = (System.nanoTime() - start) / 1e9;
            Tried tried = steps(dataset, layout, engine);
            double[] seconds = tried.seconds;
            OptionalInt bank = dataset.drawing().bank();
            double step = median(Arrays.copyOfRange(seconds, bank.isEmpty() ? 1 : FILLING, seconds.length));
            Watching watching = Watching.of(info, model);
            double before = encoding * (preparation.subject().prepared().size() + preparation.prior().prepared().size() + watching.classPictures());
            if (bank.isPresent()) before += Math.min(bank.getAsInt(), info.training().steps()) * Math.max(0, seconds[FILLING - 1] - step);
            Sampled sampled = watching.samples() ? sample(preparation, watching, tried, engine) : Sampled.NONE;
            before += sampled.before + (watching.classPictures() == 0 ? 0 : prior(engine).missing() * sampled.picture);
            double watched = watching.previews() * sampled.picture + watching.validations() * (tried.validation + sampled.score);
            return estimate(new MemoryEstimate.Measured(STEPS, room().peak()), new Estimate.Time(step, before, before + info.training().steps() * step + watched));
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

    private Dataset dataset(Preparation preparation, ParameterLayout layout, TorchEngine engine) throws Failure {
        Crops.Prepared largest = preparation.subject().prepared().stream().max(Comparator.comparingInt(each -> each.picture().argb().length)).orElseThrow();
        boolean spoken = Vocabulary.parts(layout).contains(ModelComponent.TEXT_ENCODER);
        Encoder encoder = new Encoder(engine, model, vocabulary(layout).tokenizer(), spoken ? Encoder.Texts.READ : Encoder.Texts.EMBEDDED);
        Dataset.Drawing drawing = Dataset.Drawing.of(info.training().recipe(), info.training(), model);
        Encoder.Source source = new Encoder.Source("", new Crops(List.of(largest), List.of()), info.subject().captions(), drawing);
        Dataset dataset = encoder.encode(source, Gate.open(), 0).orElseThrow();
        if (!spoken) engine.release(TorchEngine.Network.TEXT);
        engine.release(TorchEngine.Network.ENCODER);
        return dataset;
    }

    private Vocabulary vocabulary(ParameterLayout layout) throws Failure {
        return Vocabulary.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    /// @param seconds    of each step
    /// @param validation seconds of the loss of a picture that is held out; 0 where none is
    private record Tried(double[] seconds, double validation, AdapterFile adapter) {}

    /// Seconds of a picture, of its score, and of what is read before the first score.
    private record Sampled(double picture, double score, double before) {
        static final Sampled NONE = new Sampled(0, 0, 0);
    }

    /// Two pictures of a few steps tell how long one of all its steps takes.
    private Sampled sample(Preparation preparation, Watching watching, Tried tried, TorchEngine engine) throws Failure {
        DiffusionPipeline maker = DiffusionPipeline.of(model, engine);
        String prompt = Previews.prompt(info.subject());
        List<WeightedAdapter> adapters = List.of(new WeightedAdapter(tried.adapter.toAdapterWithoutDerived("preview"), 1));
        maker.promptEncoder().encode(new Generation.PromptPair(prompt, ""), 1, adapters);
        if (!tried.adapter.components().contains(ModelComponent.TEXT_ENCODER)) engine.release(TorchEngine.Network.TEXT);
        double few = timed(maker, new Generation(new Generation.PromptPair(prompt, ""), Previews.settings(model, FEW_STEPS), 0, adapters)).seconds;
        Timed last = timed(maker, new Generation(new Generation.PromptPair(prompt, ""), Previews.settings(model, FEW_STEPS + 1), 0, adapters));
        double more = last.seconds;
        double picture = few + (Previews.STEPS - FEW_STEPS) * Math.max(0, more - few);
        if (watching.validated() != Watching.Validated.BY_SCORE) return new Sampled(picture, 0, 0);
        long start = System.nanoTime();
        Optional<Validation.PictureScore> score = LikenessAndAlignment.of(model, engine, preparation.subject(), prompt);
        double before = (System.nanoTime() - start) / 1e9;
        start = System.nanoTime();
        if (score.isPresent()) score.get().of(last.picture);
        return new Sampled(picture, (System.nanoTime() - start) / 1e9, before);
    }

    private record Timed(RgbImage picture, double seconds) {}

    private static Timed timed(DiffusionPipeline maker, Generation generation) throws Failure {
        long start = System.nanoTime();
        RgbImage picture = maker.generate(generation, StepListener.none()).orElseThrow();
        return new Timed(picture, (System.nanoTime() - start) / 1e9);
    }

    private PriorPictures prior(TorchEngine engine) throws Failure {
        return new PriorPictures(machine, new RunFolder(machine.home()), info, model, DiffusionPipeline.of(model, engine));
    }

    /// Seconds of one validation by loss.
    private double validation(Dataset dataset, DenoisingLoss differentiation, float[] numbers) throws Failure {
        if (Watching.of(info, model).validated() != Watching.Validated.BY_LOSS) return 0;
        long start = System.nanoTime();
        new Validation.HeldOut(dataset, differentiation::loss).at(numbers, Optional.empty());
        return (System.nanoTime() - start) / 1e9;
    }

    private Tried steps(Dataset dataset, ParameterLayout layout, TorchEngine engine) throws Failure {
        long seed = info.training().seed();
        ParameterLayout.Initialization beginning = new ParameterLayout.Initialization(engine::tensor, seed, vocabulary(layout).classTokens());
        Map<String, Tensor> constants = layout.frozenValues(beginning);
        TrainingState state = TrainingState.start(layout.initialVector(beginning));
        Optimizer optimizer = Optimizers.of(info.training().recipe(), layout, state, engine.orthogonalization());
        List<LearningRates.ParameterGroup> groups = Optimizers.groups(info.training().recipe(), info.method(), layout);
        engine.derive(layout, constants);
        Passes plain = new Passes(dataset, info.training().recipe().weighing().prior().map(prior -> dataset), seed);
        double[] seconds = new double[STEPS];
        double validation;
        Computing computing = Computing.of(info.training().recipe(), model, machine.device(), new Computing.Trial(engine, layout, constants, plain, state));
        try (TemporaryPath bank = scratch();
                DenoisingLoss differentiation = engine.denoisingLoss(computing.input(layout, constants))) {
            Passes passes = plain.banked(bank.path(), differentiation::encoderFeatures);
            for (int step = 0; step < STEPS; step++) {
                long start = System.nanoTime();
                DenoisingLoss.Gradient gradient = passes.gradient(differentiation::gradient, state.numbers(), passes.bank().isEmpty() ? step : step % FILLING);
                AdamW.clipGradientNorm(gradient.vector(), 1);
                optimizer.step(state.numbers(), gradient.vector(), new LearningRates(info.training().recipe().course().rate(step), groups));
                seconds[step] = (System.nanoTime() - start) / 1e9;
            }
            validation = validation(dataset, differentiation, state.numbers());
        }
        return new Tried(seconds, validation, Trainer.adapter(info, layout, AdaptedLayer.of(layout.method(), Tuning.layers(model)), constants, state));
    }

    private static TemporaryPath scratch() throws Failure {
        try {
            return TemporaryPath.createFolder("estimate");
        } catch (IOException e) {
            throw new Failure.Unwritable("no folder for a trial can be made in the temporary folder " + System.getProperty("java.io.tmpdir") + ": it does not exist or cannot be written; make it, or free some space", e);
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
        int factor = 8 * model.vae().downsamplingFactor();
        int smaller = size * 3 / 4 / factor * factor;
        return smaller >= factor && smaller < size ? Optional.of(smaller) : Optional.empty();
    }
}
