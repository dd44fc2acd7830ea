package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.StartingAdapters;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.data.DatasetEncoder;
import atomstudio.tuning.data.PreparedData;
import atomstudio.tuning.data.PreparedPhotos;
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
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.TorchEngine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Measures time and memory of a run by a few trial steps, a validation and a preview. The largest photo stands for
/// all photos and class images.
record TrainingEstimator(RunInfo info, DiffusionModel model, StartingAdapters start,
        TrainingEnvironment environment) {
    /// The first one is not counted, since it compiles and allocates.
    private static final int STEPS = 4;
    /// With cached noise samples the first steps fill the cache and the others read it.
    private static final int CACHE_FILL_STEPS = 2;
    private static final int TRIAL_SAMPLING_STEPS = 2;

    TrainingEstimate measure(PreparedData data) throws Failure {
        ParameterLayout layout = ParameterLayout.of(info.method().method(), model.trainableLayers());
        MemoryEstimate predicted = MemoryEstimate.PredictedMemory.of(info, model, layout,
                ComputeMode.predicted(config(), model));
        if (deviceMemory().isTooSmallFor(predicted)) // a trial could take other programs down
            return estimate(predicted, new TrainingEstimate.TimeEstimate(0, 0, 0));
        try (TrainingSetup setup = TrainingSetup.open(info, model, start, environment)) {
            return measure(data, setup);
        } catch (Failure.OutOfMemory e) {
            TrainingEstimate.MemoryFit noFit = new TrainingEstimate.MemoryFit(deviceMemory().limit() + 1,
                    "the first step does not fit", deviceMemory().limit());
            return new TrainingEstimate(info.parameterCount(), TrainingSetup.parameterShare(info, model), noFit,
                    new TrainingEstimate.TimeEstimate(0, 0, 0), advice());
        }
    }

    private TrainingEstimate measure(PreparedData data, TrainingSetup setup) throws Failure {
        long start = System.nanoTime();
        Dataset dataset = dataset(data, setup);
        double encodingSeconds = secondsSince(start);
        StepTrial trial = trainTrial(dataset, setup);
        double[] seconds = trial.stepSeconds;
        OptionalInt cachedSteps = dataset.sampling().cachedSteps();
        double stepSeconds = median(
                Arrays.copyOfRange(seconds, cachedSteps.isEmpty() ? 1 : CACHE_FILL_STEPS, seconds.length));
        EvaluationPlan evaluationPlan = EvaluationPlan.of(info, model);
        double setupSeconds = encodingSeconds * (data.photos().photos().size() + data.classImages().photos().size()
                + evaluationPlan.classImageCount());
        if (cachedSteps.isPresent())
            setupSeconds += Math.min(cachedSteps.getAsInt(), info.config().steps())
                    * Math.max(0, seconds[CACHE_FILL_STEPS - 1] - stepSeconds);
        SamplingTrial samplingTrial = evaluationPlan.generatesImages()
                ? sampleTrial(data, evaluationPlan, trial.adapter, setup)
                : SamplingTrial.NONE;
        setupSeconds += samplingTrial.setupSeconds;
        if (evaluationPlan.classImageCount() > 0)
            setupSeconds += classImages(setup).missing() * samplingTrial.imageSeconds;
        double evaluationSeconds = evaluationPlan.previewCount() * samplingTrial.imageSeconds
                + evaluationPlan.validationCount() * (trial.validationSeconds + samplingTrial.scoreSeconds);
        return estimate(new MemoryEstimate.MeasuredMemory(STEPS, deviceMemory().peak(), ProcessMemory.mapped()),
                new TrainingEstimate.TimeEstimate(stepSeconds, setupSeconds,
                        setupSeconds + info.config().steps() * stepSeconds + evaluationSeconds));
    }

    private TrainingConfig config() {
        return info.config().requested();
    }

    private TrainingEstimate estimate(MemoryEstimate memory, TrainingEstimate.TimeEstimate time) {
        TrainingEstimate.MemoryFit memoryFit = new TrainingEstimate.MemoryFit(deviceMemory().needed(memory),
                memory.source(),
                deviceMemory().limit());
        return new TrainingEstimate(info.parameterCount(), TrainingSetup.parameterShare(info, model), memoryFit, time,
                memoryFit.fits() ? List.of() : advice());
    }

    private MemoryEstimate.DeviceMemory deviceMemory() {
        return new MemoryEstimate.DeviceMemory(environment.device());
    }

    private Dataset dataset(PreparedData data, TrainingSetup setup) throws Failure {
        PreparedPhotos.PreparedPhoto largest = data.photos()
                .photos()
                .stream()
                .max(Comparator.comparingInt(each -> each.image().argb().length))
                .orElseThrow();
        DatasetEncoder.EncoderInput input = new DatasetEncoder.EncoderInput("",
                new PreparedPhotos(List.of(largest), List.of()), info.subject().defaultCaptions(),
                Dataset.BatchSampling.of(config(), info.config(), model));
        Dataset dataset = setup.datasetEncoder().encode(input, ControlPoint.uncontrolled(), 0).orElseThrow();
        setup.releaseEncoders();
        return dataset;
    }

    /// @param stepSeconds       of each step
    /// @param validationSeconds of the loss of a held-out photo; 0 without one
    private record StepTrial(double[] stepSeconds, double validationSeconds, AdapterFile adapter) {}

    /// Seconds of an image, of its score, and of loading before the first score.
    private record SamplingTrial(double imageSeconds, double scoreSeconds, double setupSeconds) {
        static final SamplingTrial NONE = new SamplingTrial(0, 0, 0);
    }

    /// Extrapolates from two images of few sampling steps.
    private SamplingTrial sampleTrial(PreparedData data, EvaluationPlan evaluationPlan, AdapterFile adapter,
            TrainingSetup setup) throws Failure {
        DiffusionPipeline pipeline = setup.pipeline();
        String prompt = PreviewGenerator.prompt(info.subject());
        Generation.PromptPair prompts = new Generation.PromptPair(prompt, "");
        List<WeightedAdapter> adapters = List.of(new WeightedAdapter(adapter.toAdapterWithoutDerived("preview"), 1));
        pipeline.promptEncoder().encode(prompts, 1, adapters);
        if (!adapter.components().contains(Component.TEXT_ENCODER))
            setup.engine().release(TorchEngine.Network.TEXT);
        double fewStepsSeconds = timed(pipeline, new Generation(prompts,
                PreviewGenerator.generationSettings(model, TRIAL_SAMPLING_STEPS), 0, adapters)).seconds;
        TimedImage last = timed(pipeline, new Generation(prompts,
                PreviewGenerator.generationSettings(model, TRIAL_SAMPLING_STEPS + 1), 0, adapters));
        double imageSeconds = fewStepsSeconds
                + (PreviewGenerator.STEPS - TRIAL_SAMPLING_STEPS) * Math.max(0, last.seconds - fewStepsSeconds);
        if (evaluationPlan.validationKind() != EvaluationPlan.ValidationKind.BY_SCORE)
            return new SamplingTrial(imageSeconds, 0, 0);
        long start = System.nanoTime();
        Optional<Validation.ImageScore> score = Validation.ClipImageScore.of(model, setup.engine().networks(),
                data.photos(),
                prompt);
        double setupSeconds = secondsSince(start);
        start = System.nanoTime();
        if (score.isPresent()) score.get().score(last.image);
        return new SamplingTrial(imageSeconds, secondsSince(start), setupSeconds);
    }

    private record TimedImage(RgbImage image, double seconds) {}

    private static TimedImage timed(DiffusionPipeline pipeline, Generation generation) throws Failure {
        long start = System.nanoTime();
        RgbImage image = pipeline.generate(generation, StepListener.none()).orElseThrow();
        return new TimedImage(image, secondsSince(start));
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    private ClassImages classImages(TrainingSetup setup) throws Failure {
        return new ClassImages(environment, new RunFolder(environment.home()), info, model, setup.pipeline());
    }

    /// Seconds of one validation by loss; 0 if the run has none.
    private double validation(Dataset dataset, DenoisingLoss denoisingLoss, float[] parameters) throws Failure {
        if (EvaluationPlan.of(info, model).validationKind() != EvaluationPlan.ValidationKind.BY_LOSS) return 0;
        long start = System.nanoTime();
        new Validation.HeldOut(dataset, denoisingLoss::loss).evaluate(parameters, Optional.empty());
        return secondsSince(start);
    }

    private StepTrial trainTrial(Dataset dataset, TrainingSetup setup) throws Failure {
        ParameterLayout layout = setup.layout();
        TrainingState.SavedState start = setup.initialState();
        TrainingState state = start.state();
        List<LearningRates.ParameterGroup> groups = OptimizerFactory.parameterGroups(config(), info.method(), layout);
        GradientAccumulation uncached = new GradientAccumulation(dataset,
                config().loss().priorPreservation().map(prior -> dataset), info.config().seed());
        double[] seconds = new double[STEPS];
        double validationSeconds;
        ComputeMode computeMode = setup.prepare(start, uncached);
        Optimizer optimizer = OptimizerFactory.create(config(), layout, state,
                setup.engine().orthogonalization(computeMode.computeDtype()));
        try (TemporaryPath cacheFolder = temporaryFolder();
                DenoisingLoss denoisingLoss = setup.engine()
                        .denoisingLoss(computeMode.lossOptions(layout, start.frozenValues()))) {
            GradientAccumulation accumulation = uncached.withFeatureCache(cacheFolder.path(),
                    denoisingLoss::encoderFeatures);
            for (int step = 0; step < STEPS; step++) {
                long startTime = System.nanoTime();
                DenoisingLoss.Gradient gradient = accumulation.gradient(denoisingLoss::gradient, state.parameters(),
                        accumulation.featureCache().isEmpty() ? step : step % CACHE_FILL_STEPS);
                AdamW.clipGradientNorm(gradient.vector(), 1);
                optimizer.step(state.parameters(), gradient.vector(),
                        new LearningRates(config().schedule().learningRate(step), groups));
                seconds[step] = secondsSince(startTime);
            }
            validationSeconds = validation(dataset, denoisingLoss, state.parameters());
        }
        return new StepTrial(seconds, validationSeconds,
                Trainer.adapter(info, layout, setup.adaptedLayers(), start.frozenValues(), state));
    }

    private static TemporaryPath temporaryFolder() throws Failure {
        try {
            return TemporaryPath.createFolder("estimate");
        } catch (IOException e) {
            throw new Failure.Unwritable(
                    "no folder can be created in the temporary folder " + System.getProperty("java.io.tmpdir")
                            + ": it does not exist or cannot be written; create it, or free some space",
                    e);
        }
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    /// Settings that need less memory.
    private List<String> advice() {
        RunInfo.ResolvedConfig config = info.config();
        List<String> advice = new ArrayList<>();
        if (config.batchSize() > 1) {
            int accumulation = config.batchSize() * config().optimizer().accumulationSteps();
            advice.add(option(TrainingSetting.BATCH_SIZE) + " 1 " + option(TrainingSetting.GRADIENT_ACCUMULATION) + " "
                    + accumulation + ": one photo at a time, the same steps");
        }
        if (!config().has(TrainingConfig.Feature.GRADIENT_CHECKPOINTING))
            advice.add(option(TrainingSetting.GRADIENT_CHECKPOINTING)
                    + ": recomputes activations instead of keeping them");
        smallerResolution(config.resolution())
                .ifPresent(side -> advice.add(option(TrainingSetting.RESOLUTION) + " " + side + ": smaller photos"));
        advice.add("--layers up: fewer layers, those near the output");
        return advice;
    }

    private static String option(TrainingSetting setting) {
        return "--" + setting.option();
    }

    /// About three quarters of a resolution.
    private Optional<Integer> smallerResolution(int resolution) {
        int factor = 8 * model.vae().downsamplingFactor();
        int smaller = resolution * 3 / 4 / factor * factor;
        return smaller >= factor && smaller < resolution ? Optional.of(smaller) : Optional.empty();
    }
}
