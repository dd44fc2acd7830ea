package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Autoencoder;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.LatentDistribution;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.data.DiffusionObjective;
import atomstudio.tuning.data.TextConditioning;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventLog;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The training loop on a loss with a known minimum, without a network.
class TrainerTest {
    @TempDir
    Path folder;
    private RunFolder run;
    private ParameterLayout layout;
    private Trainer.TrainerContext setup;
    private DiffusionModel model;

    @BeforeEach
    void prepare() throws Exception {
        model = TinyModel.make(folder.resolve("model"), "sd1");
        run = new RunFolder(folder.resolve("run"));
        MethodSettings method = MethodSettings.of(MethodName.ATOMS);
        List<Layer> layers = model.unet().layers();
        layout = ParameterLayout.of(method.method(), layers);
        RunInfo info = new RunInfo(new RunInfo.BaseModelInfo(model.path(), "Base", "00"),
                new RunInfo.SubjectInfo("thing", "sks", List.of(), List.of("a")), method,
                new RunInfo.ResolvedConfig(config(), 1, 16), layout.size(), "");
        setup = new Trainer.TrainerContext(run, info, layout, AdaptedLayer.of(method.method(), layers), Map.of(),
                new GradientAccumulation(dataset(1, 0), Optional.empty(), 0),
                new TrainingState.ComputeDevice("cpu", 1));
    }

    /// Photos of one value each.
    private Dataset dataset(int batch, float... parameters) throws Failure {
        DiffusionObjective objective = new DiffusionObjective(NoiseSchedule.of(model.scheduler()),
                model.scheduler().predictionType());
        List<Dataset.TrainingExample> examples = new ArrayList<>();
        for (float number : parameters)
            examples.add(
                    new Dataset.TrainingExample(filled(number), Optional.empty(), Optional.empty(), List.of("a", "b")));
        return new Dataset("", examples, conditioning("a", "b"),
                new Dataset.BatchSampling(objective, config(), batch, Optional.empty()));
    }

    private static TextConditioning conditioning(String... captions) {
        Map<String, Tensor> contexts = new HashMap<>();
        for (String caption : captions) contexts.put(caption, Tensor.filled(Shape.of(1, 1, 1), contexts.size()));
        return new TextConditioning.PrecomputedStates(contexts);
    }

    private static TrainingConfig config() {
        return TrainingConfig.of(MethodSettings.of(MethodName.ATOMS))
                .with(Map.of(TrainingSetting.STEPS, 60, TrainingSetting.LEARNING_RATE, 0.01));
    }

    /// Σ (x − 0.1)² / n.
    private static DenoisingLoss.Gradient quadratic(float[] parameters) {
        float[] gradient = new float[parameters.length];
        double loss = 0;
        for (int i = 0; i < parameters.length; i++) {
            gradient[i] = (parameters[i] - 0.1f) * 2 / parameters.length;
            loss += Math.pow(parameters[i] - 0.1, 2) / parameters.length;
        }
        return new DenoisingLoss.Gradient(loss, gradient);
    }

    /// Previews are off, so no network runs.
    private static Engine withoutNetworks() {
        Autoencoder autoencoder = new Autoencoder() {
            @Override
            public LatentDistribution encode(Tensor images) {
                throw new AssertionError("no network runs");
            }

            @Override
            public Tensor decode(Tensor latents) {
                throw new AssertionError("no network runs");
            }
        };
        return new Engine((ids, clipSkip, adapters) -> {
            throw new AssertionError("no network runs");
        }, (latents, timesteps, conditioning, adapters) -> {
            throw new AssertionError("no network runs");
        }, autoencoder, Optional.empty());
    }

    private TrainingState train(Trainer.LossFunction loss) throws Failure {
        try (EventLog log = EventLog.resume(run.eventLog(), 0, 0)) {
            EventSink events = EventSink.of(log, EventSink.none());
            PreviewGenerator none = new PreviewGenerator(run, model, DiffusionPipeline.of(model, withoutNetworks()),
                    setup.info().subject());
            return new Trainer(setup,
                    new Trainer.Collaborators(loss, (matrices, count, rows, columns) -> matrices, events, none,
                            Optional.empty()),
                    TrainingState.initial(new float[layout.size()])).run(new ControlPoint(RunControl.none(), events))
                    .state();
        }
    }

    @Test
    void findsTheMinimum() throws Exception {
        TrainingState reached = train((parameters, batch) -> quadratic(parameters));
        assertEquals(60, reached.step());
        for (float number : reached.parameters()) assertEquals(0.1, number, 0.02);
        List<TrainingEvent> steps = run.events()
                .stream()
                .map(TrainingEvent.Timed::event)
                .filter(TrainingEvent.Step.class::isInstance)
                .toList();
        assertEquals(0.01 / 20, ((TrainingEvent.Step) steps.get(0)).learningRate(), 1e-12, "the rate warms up");
        assertEquals(0.01, ((TrainingEvent.Step) steps.get(19)).learningRate(), 1e-12);
        assertEquals(0.01, ((TrainingEvent.Step) steps.get(59)).learningRate(), 1e-12);
    }

    @ParameterizedTest @ValueSource(strings = {"loss", "gradient"})
    void divergenceStopsTheRunAndKeepsTheLastGoodState(String what) throws Exception {
        AtomicInteger request = new AtomicInteger();
        float[][] seen = new float[60][];
        Trainer.LossFunction loss = (parameters, batch) -> {
            seen[request.get()] = parameters.clone();
            DenoisingLoss.Gradient gradient = quadratic(parameters);
            if (request.incrementAndGet() < 33) return gradient;
            if (what.equals("loss")) return new DenoisingLoss.Gradient(Double.NaN, gradient.vector());
            gradient.vector()[7] = Float.POSITIVE_INFINITY;
            return gradient;
        };
        Failure diverged = assertThrows(Failure.Diverged.class, () -> train(loss));
        assertTrue(diverged.getMessage().contains("step 33") && diverged.getMessage().contains("smaller learning rate"),
                diverged.getMessage());
        AdapterFile kept = run.latestAdapter().orElseThrow();
        assertEquals(31, kept.training().steps(), "the parameters before the last step, whose loss was finite");
        assertArrayEquals(seen[31], layout.toVector(kept.values()));
    }

    @Test
    void batchesDependOnlyOnSeedAndStep() throws Exception {
        Dataset dataset = dataset(4, 1, 2, 3);
        TrainingBatch batch = dataset.batch(5, 17, 0);
        assertEquals(batch.noisyLatents(), dataset.batch(5, 17, 0).noisyLatents());
        assertTrue(!batch.noisyLatents().equals(dataset.batch(5, 18, 0).noisyLatents()));
        assertTrue(!batch.noisyLatents().equals(dataset.batch(6, 17, 0).noisyLatents()));
        int[] timesTaken = new int[4];
        for (int step = 0; step < 100; step++) {
            float[] timesteps = dataset.batch(5, step, 0).timesteps();
            for (int i = 0; i < 4; i++) {
                assertTrue(timesteps[i] >= 250 * i && timesteps[i] < 250 * (i + 1), "one timestep in each quarter");
                timesTaken[i]++;
            }
        }
        assertArrayEquals(new int[] {100, 100, 100, 100}, timesTaken);
    }

    @Test
    void everyEpochContainsEachPhotoOnce() throws Exception {
        Dataset dataset = dataset(3, 1000, 2000, 3000);
        int[] seen = new int[4];
        boolean[] first = new boolean[4];
        for (int round = 0; round < 30; round++) {
            float[] means = new float[3];
            TrainingBatch batch = dataset.batch(3, round, 0);
            for (int i = 0; i < 3; i++) {
                double alpha = Math
                        .sqrt(dataset.sampling().objective().schedule().alphaCumprod((int) batch.timesteps()[i]));
                means[i] = (float) (batch.noisyLatents().rows(i, i + 1).data()[0] / alpha / 1000);
                seen[Math.round(means[i])]++;
            }
            first[Math.round(means[0])] = true;
        }
        assertArrayEquals(new int[] {0, 30, 30, 30}, seen);
        assertArrayEquals(new boolean[] {false, true, true, true}, first, "the order is shuffled");
    }

    private static Tensor filled(float value) {
        return Tensor.filled(Shape.of(1, 4, 2, 2), value);
    }
}
