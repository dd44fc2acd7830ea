package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.FakeRun;
import atomstudio.app.experiment.Experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.experiment.Experiment.TrialTrainer.TrialRequest;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An experiment with fake runs, and real images and metrics of the embedded model.
class ExperimentTest {
    private static final Path MODEL = Shared.root().resolve("assets/default-model");
    private static final Path PHOTOS = Shared.root().resolve("assets/subjects");

    private static final Generation.GenerationSettings ONE_STEP = Generation.GenerationSettings
            .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 1), 4, 128, 128);

    @TempDir
    Path folder;

    /// Writes fake runs and records the requests.
    private final class FakeTrainer implements Experiment.TrialTrainer {
        final List<String> requests = new ArrayList<>();

        @Override
        public TrialOutcome train(TrialRequest request, Cancellation cancellation) throws Failure {
            requests.add(request.trial().variant().name() + " " + request.endStep());
            return switch (request.trial().variant().name()) {
                case "lokr" -> new TrialOutcome.UnsupportedMethod("no such method");
                case "bitfit" -> new TrialOutcome.TrialFailed("out of memory");
                default -> {
                    if (!Files.exists(request.runFolder().resolve("run.json")))
                        new FakeRun(MODEL, hashes(), "atoms").write(request.runFolder());
                    yield new TrialOutcome.TrialCompleted();
                }
            };
        }
    }

    private static final class Listener implements Experiment.ExperimentListener, Cancellation {
        final List<ExperimentRow> added = new ArrayList<>();
        int stopAfter = Integer.MAX_VALUE;

        @Override
        public void trialStarted(int number, int total, Trial trial) {}

        @Override
        public void rowAdded(ExperimentRow entry) {
            added.add(entry);
        }

        @Override
        public void note(String line) {}

        @Override
        public boolean isRequested() { return added.size() >= stopAfter; }
    }

    private BaseModelHashes hashes() {
        return new BaseModelHashes(folder.resolve("hashes.json"));
    }

    private Experiment.ExperimentSetup setup(Path model) {
        return new Experiment.ExperimentSetup(ModelReference.of(model), PHOTOS, folder.resolve("out"), Device.CPU,
                hashes(), ONE_STEP, TrainingConfig.PrecisionMode.FP32);
    }

    private static Experiment experiment(Experiment.ExperimentSetup setup, FakeTrainer trainer, Listener listener) {
        return new Experiment(setup, trainer, listener, listener);
    }

    private static List<ExperimentRow.Key> keys(List<ExperimentRow> entries) {
        return entries.stream().map(ExperimentRow::key).toList();
    }

    private static ExperimentPlan plan(String... methods) {
        List<MethodVariant> variants = List.of(methods)
                .stream()
                .map(name -> MethodVariant.ofName(name).orElseThrow())
                .toList();
        return new ExperimentPlan(List.of(Phase.TEST), List.of("teapot"), variants, 1, Map.of(),
                new ExperimentPlan.RunLength(0.01, 2));
    }

    @Test
    void addsARowPerEvaluationAndContinuesAfterCancellation() throws Failure {
        Listener stopped = new Listener();
        stopped.stopAfter = 3;
        FakeTrainer trainer = new FakeTrainer();
        assertTrue(experiment(setup(MODEL), trainer, stopped).run(plan("atoms")).stopped());
        assertEquals(List.of("atoms 2", "atoms 4"), trainer.requests);
        Listener again = new Listener();
        FakeTrainer second = new FakeTrainer();
        Experiment.ExperimentResult result = experiment(setup(MODEL), second, again).run(plan("atoms"));
        assertEquals(List.of("atoms 4"), second.requests, "existing rows are skipped");
        assertEquals(1, again.added.size());
        List<ExperimentRow> entries = result.table().rows();
        assertEquals(List.of("untuned", "untuned-token", "atoms", "atoms"),
                entries.stream().map(entry -> entry.key().method()).toList());
        assertEquals(ExperimentSubject.SubjectKind.NEW_CLASS, entries.getFirst().subjectKind());
        assertEquals(2268, entries.getLast().cost().parameters());
        assertNotEquals(entries.get(0).measures(), entries.get(1).measures(), "the trigger word changes the image");
        assertTrue(entries.getFirst().measures().encoder().startsWith("image_encoder of "));
        assertTrue(Files.exists(folder.resolve("out/pictures/test/teapot/untuned/3-1.png")));
        assertEquals(keys(entries),
                keys(experiment(setup(MODEL), new FakeTrainer(), new Listener()).run(plan("atoms")).table().rows()));
    }

    @Test
    void reportsFailedTrialsAndContinues() throws Failure {
        FakeTrainer trainer = new FakeTrainer();
        Experiment.ExperimentResult result = experiment(setup(MODEL), trainer, new Listener())
                .run(plan("lokr", "bitfit", "atoms"));
        assertEquals(2, result.failures().size());
        assertTrue(result.failures().get(0).contains("no such method")
                && result.failures().get(1).contains("out of memory"), result.failures().toString());
        assertEquals(List.of("lokr 1", "bitfit 1", "atoms 2", "atoms 4"), trainer.requests);
    }

    @Test
    void rejectsModelWithoutImageEncoder() throws Exception {
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.copy(MODEL.resolve("model_index.json"), model.resolve("model_index.json"));
        for (String component : List.of("unet", "vae", "text_encoder", "tokenizer", "scheduler"))
            Files.createSymbolicLink(model.resolve(component), MODEL.resolve(component));
        Failure refused = assertThrows(Failure.Incompatible.class,
                () -> experiment(setup(model), new FakeTrainer(), new Listener()).run(plan("atoms")));
        assertTrue(refused.getMessage().contains("image encoder"), refused.getMessage());
    }

    @Test
    void rejectsSubjectWithoutPhotosBeforeTraining() {
        Experiment.ExperimentSetup setup = new Experiment.ExperimentSetup(ModelReference.of(MODEL),
                folder.resolve("nothing"), folder.resolve("out"), Device.CPU, hashes(), ONE_STEP,
                TrainingConfig.PrecisionMode.FP32);
        assertTrue(assertThrows(Failure.Unreadable.class,
                () -> experiment(setup, new FakeTrainer(), new Listener()).run(plan("atoms"))).getMessage()
                .contains("teapot"));
    }

    @Test
    void trainsWithTheTrainCommand() throws Failure {
        Trial trial = plan("lora-16").trials(Phase.TEST, ExperimentTable.open(folder.resolve("none.csv"))).getFirst();
        List<String> arguments = ChildProcessTrialTrainer.arguments(
                new TrialRequest(Path.of("m"), Path.of("p"), trial, 1, Path.of("r")),
                TrainingConfig.PrecisionMode.BF16);
        assertEquals(List.of("train", "--control-stdin", "--model=m", "--photos=p", "--class=object", "--method",
                "lora", "--rank", "16",
                "--learning-rate=0.001", "--seed=0", "--steps=1", "--precision=bf16", "--out=r"), arguments);
    }
}
