package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.FakeRun;
import atomstudio.app.experiment.Experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.experiment.Experiment.TrialTrainer.TrialRequest;
import atomstudio.app.experiment.Trial.Phase;
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
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An experiment whose runs are made up, with the embedded model's real pictures and measures.
class ExperimentTest {
    private static final Path MODEL = Shared.root().resolve("assets/default-model");
    private static final Path PICTURES = Shared.root().resolve("assets/subjects");

    private static final Generation.GenerationSettings ONE_STEP = Generation.GenerationSettings
            .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 1), 4, 128, 128);

    @TempDir
    Path folder;

    /// Writes made-up runs and remembers what it was asked for.
    private final class Tuner implements Experiment.TrialTrainer {
        final List<String> asked = new ArrayList<>();

        @Override
        public TrialOutcome train(TrialRequest order, BooleanSupplier stop) throws Failure {
            asked.add(order.trial().variant().name() + " " + order.endStep());
            return switch (order.trial().variant().name()) {
                case "lokr" -> new TrialOutcome.UnsupportedMethod("no such method");
                case "bitfit" -> new TrialOutcome.TrialFailed("out of memory");
                default -> {
                    if (!Files.exists(order.runFolder().resolve("run.json")))
                        new FakeRun(MODEL, hashes(), "atoms").write(order.runFolder());
                    yield new TrialOutcome.TrialCompleted();
                }
            };
        }
    }

    private static final class Listener implements Experiment.TrialListener {
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
        public Next next() {
            return added.size() >= stopAfter ? Next.STOP : Next.CONTINUE;
        }
    }

    private BaseModelHashes hashes() {
        return new BaseModelHashes(folder.resolve("hashes.json"));
    }

    private Experiment.ExperimentSetup setup(Path model) {
        return new Experiment.ExperimentSetup(ModelReference.of(model), PICTURES, folder.resolve("out"), Device.CPU,
                hashes(), ONE_STEP, TrainingConfig.PrecisionMode.FP32);
    }

    private static Experiment experiment(Experiment.ExperimentSetup setup, Tuner tuner, Listener listener) {
        return new Experiment(setup, tuner, listener);
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
    void addsARowForEveryLookAndGoesOnWhereItStopped() throws Failure {
        Listener stopped = new Listener();
        stopped.stopAfter = 3;
        Tuner tuner = new Tuner();
        assertTrue(experiment(setup(MODEL), tuner, stopped).run(plan("atoms")).stopped());
        assertEquals(List.of("atoms 2", "atoms 4"), tuner.asked);
        Listener again = new Listener();
        Tuner second = new Tuner();
        Experiment.ExperimentResult result = experiment(setup(MODEL), second, again).run(plan("atoms"));
        assertEquals(List.of("atoms 4"), second.asked, "what the table has is not done again");
        assertEquals(1, again.added.size());
        List<ExperimentRow> entries = result.table().rows();
        assertEquals(List.of("untuned", "untuned-token", "atoms", "atoms"),
                entries.stream().map(entry -> entry.key().method()).toList());
        assertEquals(ExperimentSubject.SubjectKind.NEW_CLASS, entries.getFirst().subjectKind());
        assertEquals(2268, entries.getLast().cost().parameters());
        assertNotEquals(entries.get(0).measures(), entries.get(1).measures(), "the token changes the picture");
        assertTrue(entries.getFirst().measures().encoder().startsWith("image_encoder of "));
        assertTrue(Files.exists(folder.resolve("out/pictures/test/teapot/untuned/3-1.png")));
        assertEquals(keys(entries),
                keys(experiment(setup(MODEL), new Tuner(), new Listener()).run(plan("atoms")).table().rows()));
    }

    @Test
    void whatCannotBeRunIsNamedAndTheRestGoesOn() throws Failure {
        Tuner tuner = new Tuner();
        Experiment.ExperimentResult result = experiment(setup(MODEL), tuner, new Listener())
                .run(plan("lokr", "bitfit", "atoms"));
        assertEquals(2, result.failures().size());
        assertTrue(result.failures().get(0).contains("no such method")
                && result.failures().get(1).contains("out of memory"), result.failures().toString());
        assertEquals(List.of("lokr 1", "bitfit 1", "atoms 2", "atoms 4"), tuner.asked);
    }

    @Test
    void aModelWithoutAVisionTowerIsRefused() throws Exception {
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.copy(MODEL.resolve("model_index.json"), model.resolve("model_index.json"));
        for (String part : List.of("unet", "vae", "text_encoder", "tokenizer", "scheduler"))
            Files.createSymbolicLink(model.resolve(part), MODEL.resolve(part));
        Failure refused = assertThrows(Failure.Incompatible.class,
                () -> experiment(setup(model), new Tuner(), new Listener()).run(plan("atoms")));
        assertTrue(refused.getMessage().contains("vision tower"), refused.getMessage());
    }

    @Test
    void aSubjectWithoutPicturesIsRefusedBeforeAnythingIsRun() {
        Experiment.ExperimentSetup setup = new Experiment.ExperimentSetup(ModelReference.of(MODEL),
                folder.resolve("nothing"), folder.resolve("out"), Device.CPU, hashes(), ONE_STEP,
                TrainingConfig.PrecisionMode.FP32);
        assertTrue(assertThrows(Failure.Unreadable.class,
                () -> experiment(setup, new Tuner(), new Listener()).run(plan("atoms"))).getMessage()
                .contains("teapot"));
    }

    @Test
    void aTrialIsTunedByTheCommandThatAPersonWouldType() throws Failure {
        Trial trial = plan("lora-16").trials(Phase.TEST, ExperimentTable.open(folder.resolve("none.csv"))).getFirst();
        List<String> arguments = ChildProcessTrialTrainer.arguments(
                new TrialRequest(Path.of("m"), Path.of("p"), trial, 1, Path.of("r")),
                TrainingConfig.PrecisionMode.BF16);
        assertEquals(List.of("tune", "--control-stdin", "--model=m", "--pictures=p", "--class=object", "--method",
                "lora", "--rank", "16",
                "--learning-rate=0.001", "--seed=0", "--steps=1", "--precision=bf16", "--out=r"), arguments);
    }
}
