package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.data.DatasetEncoder;
import atomstudio.tuning.data.PreparedData;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.OptimizerFactory;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingState;
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

/// A few steps of a run that is not made, with a validation and a preview where it has any: they say how long these
/// take, and what they hold. The largest of the pictures stands for all, and for those of its class.
record TrainingEstimator(RunInfo info, DiffusionModel model, TrainingEnvironment environment) {
    /// The first one, which compiles and allocates, is not counted.
    private static final int STEPS = 4;
    /// With a bank the first of these fill it, the others find it filled.
    private static final int CACHE_FILL_STEPS = 2;
    /// Of the pictures that are sampled on trial.
    private static final int TRIAL_SAMPLING_STEPS = 2;

    TrainingEstimate measure(PreparedData data) throws Failure {
        ParameterLayout layout = ParameterLayout.of(info.method().method(), TrainingService.tunableLayers(model));
        MemoryEstimate predicted = MemoryEstimate.PredictedMemory.of(info, model, layout,
                ComputeMode.predicted(info.config().requested(), model));
        if (deviceMemory().isTooSmallFor(predicted.bytes()))
            return estimate(predicted, new TrainingEstimate.TimeEstimate(0, 0, 0)); // trying could end more than this
        try (TorchEngine engine = TorchEngine.open(model, environment.device(), environment.torchSettings())) {
            long start = System.nanoTime();
            Dataset dataset = dataset(data, layout, engine);
            double encodingSeconds = (System.nanoTime() - start) / 1e9;
            StepTrial trial = steps(dataset, layout, engine);
            double[] seconds = trial.stepSeconds;
            OptionalInt noiseBankSteps = dataset.sampling().cachedSteps();
            double stepSeconds = median(
                    Arrays.copyOfRange(seconds, noiseBankSteps.isEmpty() ? 1 : CACHE_FILL_STEPS, seconds.length));
            EvaluationPlan evaluationPlan = EvaluationPlan.of(info, model);
            double setupSeconds = encodingSeconds * (data.photos().photos().size() + data.classImages().photos().size()
                    + evaluationPlan.classImageCount());
            if (noiseBankSteps.isPresent())
                setupSeconds += Math.min(noiseBankSteps.getAsInt(), info.config().steps())
                        * Math.max(0, seconds[CACHE_FILL_STEPS - 1] - stepSeconds);
            SamplingTrial samplingTrial = evaluationPlan.generatesImages()
                    ? sampleTrial(data, evaluationPlan, trial, engine)
                    : SamplingTrial.NONE;
            setupSeconds += samplingTrial.setupSeconds + (evaluationPlan.classImageCount() == 0 ? 0
                    : classImages(engine).missing() * samplingTrial.imageSeconds);
            double evaluationSeconds = evaluationPlan.previewCount() * samplingTrial.imageSeconds
                    + evaluationPlan.validationCount() * (trial.validationSeconds + samplingTrial.scoreSeconds);
            return estimate(new MemoryEstimate.MeasuredMemory(STEPS, deviceMemory().peak()),
                    new TrainingEstimate.TimeEstimate(stepSeconds, setupSeconds,
                            setupSeconds + info.config().steps() * stepSeconds + evaluationSeconds));
        } catch (Failure.OutOfMemory e) {
            TrainingEstimate.MemoryFit noFit = new TrainingEstimate.MemoryFit(deviceMemory().limit() + 1,
                    "a first step did not fit", deviceMemory().limit());
            return new TrainingEstimate(info.parameterCount(), parameterShare(), noFit,
                    new TrainingEstimate.TimeEstimate(0, 0, 0), advice());
        }
    }

    private TrainingEstimate estimate(MemoryEstimate memory, TrainingEstimate.TimeEstimate time) {
        TrainingEstimate.MemoryFit memoryFit = new TrainingEstimate.MemoryFit(memory.bytes(), memory.source(),
                deviceMemory().limit());
        return new TrainingEstimate(info.parameterCount(), parameterShare(), memoryFit, time,
                memoryFit.fits() ? List.of() : advice());
    }

    private MemoryEstimate.DeviceMemory deviceMemory() {
        return new MemoryEstimate.DeviceMemory(environment.device());
    }

    private double parameterShare() {
        return (double) info.parameterCount() / TrainingService.parameterCount(model);
    }

    private Dataset dataset(PreparedData data, ParameterLayout layout, TorchEngine engine) throws Failure {
        PreparedPhotos.PreparedPhoto largest = data.photos()
                .photos()
                .stream()
                .max(Comparator.comparingInt(each -> each.image().argb().length))
                .orElseThrow();
        boolean trainsTextEncoder = SubjectTokenizer.components(layout).contains(ModelComponent.TEXT_ENCODER);
        DatasetEncoder encoder = new DatasetEncoder(engine, model, subjectTokenizer(layout).tokenizer(),
                trainsTextEncoder ? DatasetEncoder.CaptionEncoding.ENCODE_EACH_STEP
                        : DatasetEncoder.CaptionEncoding.PRECOMPUTED);
        Dataset.BatchSampling sampling = Dataset.BatchSampling.of(info.config().requested(), info.config(), model);
        DatasetEncoder.EncoderInput input = new DatasetEncoder.EncoderInput("",
                new PreparedPhotos(List.of(largest), List.of()), info.subject().defaultCaptions(), sampling);
        Dataset dataset = encoder.encode(input, ControlPoint.uncontrolled(), 0).orElseThrow();
        if (!trainsTextEncoder) engine.release(TorchEngine.Network.TEXT);
        engine.release(TorchEngine.Network.ENCODER);
        return dataset;
    }

    private SubjectTokenizer subjectTokenizer(ParameterLayout layout) throws Failure {
        return SubjectTokenizer.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    /// @param stepSeconds    of each step
    /// @param validationSeconds seconds of the loss of a picture that is held out; 0 where none is
    private record StepTrial(double[] stepSeconds, double validationSeconds, AdapterFile adapter) {}

    /// Seconds of a picture, of its score, and of what is read before the first score.
    private record SamplingTrial(double imageSeconds, double scoreSeconds, double setupSeconds) {
        static final SamplingTrial NONE = new SamplingTrial(0, 0, 0);
    }

    /// Two pictures of a few steps tell how long one of all its steps takes.
    private SamplingTrial sampleTrial(PreparedData data, EvaluationPlan evaluationPlan, StepTrial stepTrial,
            TorchEngine engine) throws Failure {
        DiffusionPipeline pipeline = DiffusionPipeline.of(model, engine);
        String prompt = PreviewGenerator.prompt(info.subject());
        List<WeightedAdapter> adapters = List
                .of(new WeightedAdapter(stepTrial.adapter.toAdapterWithoutDerived("preview"), 1));
        pipeline.promptEncoder().encode(new Generation.PromptPair(prompt, ""), 1, adapters);
        if (!stepTrial.adapter.components().contains(ModelComponent.TEXT_ENCODER))
            engine.release(TorchEngine.Network.TEXT);
        double fewStepsSeconds = timed(pipeline, new Generation(new Generation.PromptPair(prompt, ""),
                PreviewGenerator.generationSettings(model, TRIAL_SAMPLING_STEPS), 0, adapters)).seconds;
        TimedImage last = timed(pipeline, new Generation(new Generation.PromptPair(prompt, ""),
                PreviewGenerator.generationSettings(model, TRIAL_SAMPLING_STEPS + 1), 0, adapters));
        double moreStepsSeconds = last.seconds;
        double imageSeconds = fewStepsSeconds
                + (PreviewGenerator.STEPS - TRIAL_SAMPLING_STEPS) * Math.max(0, moreStepsSeconds - fewStepsSeconds);
        if (evaluationPlan.validationKind() != EvaluationPlan.ValidationKind.BY_SCORE)
            return new SamplingTrial(imageSeconds, 0, 0);
        long start = System.nanoTime();
        Optional<Validation.ImageScore> score = Validation.ClipImageScore.of(model, engine, data.photos(), prompt);
        double setupSeconds = (System.nanoTime() - start) / 1e9;
        start = System.nanoTime();
        if (score.isPresent()) score.get().score(last.image);
        return new SamplingTrial(imageSeconds, (System.nanoTime() - start) / 1e9, setupSeconds);
    }

    private record TimedImage(RgbImage image, double seconds) {}

    private static TimedImage timed(DiffusionPipeline pipeline, Generation generation) throws Failure {
        long start = System.nanoTime();
        RgbImage image = pipeline.generate(generation, StepListener.none()).orElseThrow();
        return new TimedImage(image, (System.nanoTime() - start) / 1e9);
    }

    private ClassImages classImages(TorchEngine engine) throws Failure {
        return new ClassImages(environment, new RunFolder(environment.home()), info, model,
                DiffusionPipeline.of(model, engine));
    }

    /// Seconds of one validation by loss.
    private double validation(Dataset dataset, DenoisingLoss denoisingLoss, float[] parameters) throws Failure {
        if (EvaluationPlan.of(info, model).validationKind() != EvaluationPlan.ValidationKind.BY_LOSS) return 0;
        long start = System.nanoTime();
        new Validation.HeldOut(dataset, denoisingLoss::loss).evaluate(parameters, Optional.empty());
        return (System.nanoTime() - start) / 1e9;
    }

    private StepTrial steps(Dataset dataset, ParameterLayout layout, TorchEngine engine) throws Failure {
        long seed = info.config().seed();
        ParameterLayout.Initialization initialization = new ParameterLayout.Initialization(engine::tensor, seed,
                subjectTokenizer(layout).classTokens());
        Map<String, Tensor> frozenValues = layout.frozenValues(initialization);
        TrainingState state = TrainingState.initial(layout.initialVector(initialization));
        Optimizer optimizer = OptimizerFactory.create(info.config().requested(), layout, state,
                engine.orthogonalization());
        List<LearningRates.ParameterGroup> groups = OptimizerFactory.parameterGroups(info.config().requested(),
                info.method(), layout);
        engine.derive(layout, frozenValues);
        GradientAccumulation uncached = new GradientAccumulation(dataset,
                info.config().requested().loss().priorPreservation().map(prior -> dataset), seed);
        double[] seconds = new double[STEPS];
        double validationSeconds;
        ComputeMode computeMode = ComputeMode.of(info.config().requested(), model, environment.device(),
                new ComputeMode.PrecisionTrial(engine, layout, frozenValues, uncached, state));
        try (TemporaryPath cacheFolder = temporaryFolder();
                DenoisingLoss denoisingLoss = engine.denoisingLoss(computeMode.lossOptions(layout, frozenValues))) {
            GradientAccumulation accumulation = uncached.withFeatureCache(cacheFolder.path(),
                    denoisingLoss::encoderFeatures);
            for (int step = 0; step < STEPS; step++) {
                long start = System.nanoTime();
                DenoisingLoss.Gradient gradient = accumulation.gradient(denoisingLoss::gradient, state.parameters(),
                        accumulation.featureCache().isEmpty() ? step : step % CACHE_FILL_STEPS);
                AdamW.clipGradientNorm(gradient.vector(), 1);
                optimizer.step(state.parameters(), gradient.vector(),
                        new LearningRates(info.config().requested().schedule().learningRate(step), groups));
                seconds[step] = (System.nanoTime() - start) / 1e9;
            }
            validationSeconds = validation(dataset, denoisingLoss, state.parameters());
        }
        return new StepTrial(seconds, validationSeconds, Trainer.adapter(info, layout,
                AdaptedLayer.of(layout.method(), TrainingService.tunableLayers(model)), frozenValues, state));
    }

    private static TemporaryPath temporaryFolder() throws Failure {
        try {
            return TemporaryPath.createFolder("estimate");
        } catch (IOException e) {
            throw new Failure.Unwritable(
                    "no folder for a trial can be made in the temporary folder " + System.getProperty("java.io.tmpdir")
                            + ": it does not exist or cannot be written; make it, or free some space",
                    e);
        }
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    /// What takes less memory than what was asked for.
    private List<String> advice() {
        RunInfo.ResolvedConfig config = info.config();
        List<String> advice = new ArrayList<>();
        if (config.batchSize() > 1)
            advice.add(
                    "--batch 1 --accumulate " + config.batchSize() * config.requested().optimizer().accumulationSteps()
                            + ": one picture at a time, the same steps");
        if (!config.requested().has(TrainingConfig.Feature.GRADIENT_CHECKPOINTING))
            advice.add("--checkpointing: activations are computed again instead of kept");
        Optional<Integer> smaller = smallerSide(config.resolution());
        smaller.ifPresent(size -> advice.add("--size " + size + ": smaller pictures"));
        advice.add("--layers up: fewer layers, those near the output");
        return advice;
    }

    /// Three quarters of a side.
    private Optional<Integer> smallerSide(int size) {
        int factor = 8 * model.vae().downsamplingFactor();
        int smaller = size * 3 / 4 / factor * factor;
        return smaller >= factor && smaller < size ? Optional.of(smaller) : Optional.empty();
    }
}
