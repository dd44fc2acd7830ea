package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.cluster.RunLease;
import atomstudio.app.cluster.Shard;
import atomstudio.app.compare.FakeRun;
import atomstudio.app.experiment.ExperimentFolder.State;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.experiment.TrialTrainer.TrialRequest;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.model.DiffusionModel;
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
    private final class FakeTrainer implements TrialTrainer {
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

    private ExperimentFolder planned(String name, Path model, Path photos, ExperimentPlan plan) throws Failure {
        ExperimentFolder planned = new ExperimentFolder(folder.resolve(name));
        ExperimentSettings settings = new ExperimentSettings(model, photos, ONE_STEP,
                TrainingConfig.PrecisionMode.FP32, plan);
        planned.plan(settings, Experiment.details(settings, DiffusionModel.open(model)));
        assertEquals(settings, planned.settings(), "written and read");
        return planned;
    }

    private Experiment experiment(ExperimentPlan plan, FakeTrainer trainer, Listener listener) throws Failure {
        return experiment(planned("out", MODEL, PHOTOS, plan), trainer, listener);
    }

    private static Experiment experiment(ExperimentFolder folder, FakeTrainer trainer, Listener listener)
            throws Failure {
        return new Experiment(folder, new Experiment.ExperimentSetup(Device.CPU, List.of(), trainer), listener,
                listener);
    }

    private List<ExperimentRow> rows() throws Failure {
        return ExperimentTable.open(folder.resolve("out/experiment.csv")).rows();
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
        assertTrue(experiment(plan("atoms"), trainer, stopped).run().stopped());
        assertEquals(List.of("atoms 2", "atoms 4"), trainer.requests);
        Listener again = new Listener();
        FakeTrainer second = new FakeTrainer();
        assertFalse(experiment(plan("atoms"), second, again).run().stopped());
        assertEquals(List.of("atoms 4"), second.requests, "existing rows are skipped");
        assertEquals(1, again.added.size());
        List<ExperimentRow> entries = rows();
        assertEquals(List.of("untuned", "untuned-token", "atoms", "atoms"),
                entries.stream().map(entry -> entry.key().method()).toList());
        assertEquals(ExperimentSubject.SubjectKind.NEW_CLASS, entries.getFirst().subjectKind());
        assertEquals(2268, entries.getLast().cost().parameters());
        assertNotEquals(entries.get(0).measures(), entries.get(1).measures(), "the trigger word changes the image");
        assertTrue(entries.getFirst().measures().encoder().startsWith("image_encoder of "));
        assertTrue(Files.exists(folder.resolve("out/pictures/test/teapot/untuned/3-1.png")));
        experiment(plan("atoms"), new FakeTrainer(), new Listener()).run();
        assertEquals(keys(entries), keys(rows()));
    }

    @Test
    void reportsFailedTrialsAndContinues() throws Failure {
        FakeTrainer trainer = new FakeTrainer();
        Experiment.ExperimentResult result = experiment(plan("lokr", "bitfit", "atoms"), trainer, new Listener())
                .run();
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
                () -> experiment(planned("out", model, PHOTOS, plan("atoms")), new FakeTrainer(), new Listener())
                        .run());
        assertTrue(refused.getMessage().contains("image encoder"), refused.getMessage());
    }

    @Test
    void rejectsSubjectWithoutPhotosBeforeTraining() {
        assertTrue(assertThrows(Failure.Unreadable.class,
                () -> experiment(planned("out", MODEL, folder.resolve("nothing"), plan("atoms")), new FakeTrainer(),
                        new Listener()).run())
                .getMessage()
                .contains("teapot"));
    }

    @Test
    void trainsWithTheTrainCommand() throws Failure {
        Trial trial = plan("lora-16").trials(Phase.TEST, List.of()).getFirst();
        List<String> arguments = ChildProcessTrialTrainer.arguments(
                new TrialRequest(Path.of("m"), Path.of("p"), trial, 1, Path.of("r")),
                TrainingConfig.PrecisionMode.BF16);
        assertEquals(List.of("train", "--control-stdin", "--model=m", "--photos=p", "--class=object", "--method",
                "lora", "--rank", "16",
                "--learning-rate=0.001", "--seed=0", "--steps=1", "--precision=bf16", "--out=r"), arguments);
    }

    /// Both phases with two subjects and two learning rates, and a method that fails.
    private static ExperimentPlan bothPhases() {
        List<MethodVariant> variants = List.of(
                new MethodVariant("atoms", List.of("--method", "atoms"), 4, List.of(1e-3, 1e-2), 1),
                new MethodVariant("bitfit", List.of("--method", "bitfit"), 4, List.of(1e-3), 1));
        return new ExperimentPlan(List.of(Phase.TUNE, Phase.TEST), List.of("boat", "owl"), variants, 1, Map.of(),
                new ExperimentPlan.RunLength(1, 2));
    }

    @Test
    void shardsAndInterruptionsGiveTheBytesOfOneMachine() throws Exception {
        ExperimentFolder whole = planned("whole", MODEL, PHOTOS, bothPhases());
        assertEquals(2, experiment(whole, new FakeTrainer(), new Listener()).run().failures().size());

        ExperimentFolder parts = planned("parts", MODEL, PHOTOS, bothPhases());
        Listener stopped = new Listener();
        stopped.stopAfter = 2;
        assertTrue(experiment(parts, new FakeTrainer(), stopped).work(new Shard(1, 2)).stopped());
        assertFalse(Files.exists(parts.tableFile()), "written by the collecting process alone");
        Listener both = new Listener();
        FakeTrainer trainer = new FakeTrainer();
        assertEquals(0, experiment(parts, trainer, both).work(new Shard(1, 2)).busy());
        assertEquals(List.of(), both.added.stream()
                .filter(row -> row.key().phase().equals("test")
                        && row.key().method().equals("untuned"))
                .toList(), "of the other shard");
        assertEquals(4, both.added.stream().filter(row -> row.key().phase().equals("tune")).count(),
                "phase tune is done as a whole before phase test is planned");
        assertEquals(2, parts.states(bothPhases()).stream().filter(State.UNFINISHED::equals).count());
        parts.collect(bothPhases());
        experiment(parts, new FakeTrainer(), new Listener()).work(new Shard(0, 2));
        parts.collect(bothPhases());
        assertEquals(Files.readString(whole.tableFile()), Files.readString(parts.tableFile()));
        assertEquals(10, ExperimentTable.open(parts.tableFile()).rows().size());
        assertEquals(List.of("tune/boat/bitfit-0.001-4-0: out of memory", "test/owl/bitfit-0.001-4-0: out of memory"),
                parts.failures(bothPhases()));

        FakeTrainer again = new FakeTrainer();
        experiment(parts, again, new Listener()).work(Shard.ALL);
        assertEquals(List.of(), again.requests, "what failed is not tried again by a requeued task");
        parts.clearFailures();
        experiment(parts, again, new Listener()).work(Shard.ALL);
        assertEquals(List.of("bitfit 2", "bitfit 2"), again.requests);
    }

    @Test
    void aShardLeavesWhatAnotherProcessWorksOn() throws Exception {
        ExperimentFolder parts = planned("busy", MODEL, PHOTOS, plan("atoms"));
        ExperimentUnit first = plan("atoms").units(Phase.TEST, List.of()).getFirst();
        try (RunLease _ = RunLease.acquire(parts.rows(first)).orElseThrow()) {
            assertEquals(State.RUNNING, parts.states(plan("atoms")).getFirst());
            assertEquals(1, experiment(parts, new FakeTrainer(), new Listener()).work(Shard.ALL).busy());
        }
        assertEquals(0, experiment(parts, new FakeTrainer(), new Listener()).work(Shard.ALL).busy());
    }

    @Test
    void rowsOfOtherSettingsAreNotMixed() throws Exception {
        ExperimentFolder planned = planned("out", MODEL, PHOTOS, plan("atoms"));
        ExperimentSettings settings = planned.settings();
        assertTrue(assertThrows(Failure.Incompatible.class, () -> planned.plan(settings, "other")).getMessage()
                .contains("other settings"));
        assertTrue(assertThrows(Failure.Unreadable.class,
                () -> new ExperimentFolder(folder.resolve("none")).settings()).getMessage().contains("--plan"));
    }
}
