package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExperimentPlanTest {
    private static final ExperimentPlan WHOLE = plan(List.of(), MethodVariant.COMPARED, Map.of());

    @TempDir
    Path folder;
    private ExperimentTable table;

    @BeforeEach
    void open() throws Failure {
        table = ExperimentTable.open(folder.resolve("experiment.csv"));
    }

    private static ExperimentPlan plan(List<String> subjects, List<MethodVariant> variants, Map<String, Double> rates) {
        return new ExperimentPlan(List.of(Phase.values()), subjects, variants, 3, rates, ExperimentPlan.RunLength.FULL);
    }

    @Test
    void phaseTuneTriesThreeLearningRatesOnThreeSeparateSubjects() throws Failure {
        List<Trial> trials = WHOLE.trials(Phase.TUNE, table.rows());
        assertEquals(MethodVariant.COMPARED.size() * 3 * 3, trials.size());
        List<String> seen = trials.stream().map(trial -> trial.subject().name()).distinct().toList();
        assertEquals(List.of("boat", "clock", "ghost"), seen);
        assertTrue(
                WHOLE.trials(Phase.TEST, table.rows())
                        .stream()
                        .noneMatch(trial -> seen.contains(trial.subject().name())),
                "subjects of phase test are not used for selection");
    }

    @Test
    void atomsAtomsWithWordAndLoraHaveThreeSeedsOthersOne() throws Failure {
        List<Trial> trials = WHOLE.trials(Phase.TEST, table.rows());
        assertEquals(6 * (MethodVariant.COMPARED.size() + 3 * 2), trials.size());
        assertEquals(3, trials.stream()
                .filter(trial -> trial.variant().name().equals("lora-4") && trial.subject().name().equals("owl"))
                .count());
        assertEquals(1, trials.stream()
                .filter(trial -> trial.variant().name().equals("lora-16") && trial.subject().name().equals("owl"))
                .count());
        assertEquals(trials.size(), new HashSet<>(trials.stream().map(Trial::folderName).toList()).size(),
                "folder names are unique");
    }

    @Test
    void evaluatesFourCheckpointsTheLastAtTheEnd() {
        assertEquals(List.of(50, 100, 150, 200), new Trial.TrialSettings(1, 200, 0, 4).checkpointSteps());
        assertEquals(List.of(1, 2), new Trial.TrialSettings(1, 2, 0, 4).checkpointSteps(),
                "no step twice");
    }

    @Test
    void phaseTestUsesTheLearningRateWithTheBestCheckpoint() throws Failure {
        MethodVariant atoms = MethodVariant.ofName("atoms").orElseThrow();
        assertEquals(3e-3, rate(atoms), "the default without rows");
        table.add(ExperimentRows.of(ExperimentRows.tune("boat", ExperimentRow.Key.BASE_MODEL, 0, 0), 0.45, 0.9));
        table.add(ExperimentRows.of(ExperimentRows.tune("clock", ExperimentRow.Key.BASE_MODEL, 0, 0), 0.45, 0.9));
        table.add(ExperimentRows.of(ExperimentRows.tune("boat", "atoms", 3e-3, 400), 0.5, 0.8));
        table.add(ExperimentRows.of(ExperimentRows.tune("clock", "atoms", 3e-3, 400), 0.5, 0.8));
        table.add(ExperimentRows.of(ExperimentRows.tune("boat", "atoms", 3e-2, 200), 0.6, 0.6));
        table.add(ExperimentRows.of(ExperimentRows.tune("clock", "atoms", 3e-2, 200), 0.6, 0.6));
        table.add(ExperimentRows.of(ExperimentRows.tune("boat", "atoms", 3e-2, 400), 0.9, -0.5));
        assertEquals(3e-2, rate(atoms),
                "the score is the likeness gained; an overtrained run counts with its best checkpoint");
        table.add(ExperimentRows.of(ExperimentRows.test("owl", "atoms", 0, 400), 1, 1));
        assertEquals(3e-2, rate(atoms), "subjects of phase test have no effect");
    }

    @Test
    void givenLearningRateIsTheOnlyOne() throws Failure {
        ExperimentPlan plan = plan(List.of("boat", "owl"), List.of(MethodVariant.ofName("atoms").orElseThrow()),
                Map.of("atoms", 0.5));
        assertEquals(List.of(0.5),
                plan.trials(Phase.TUNE, table.rows()).stream().map(trial -> trial.settings().learningRate()).toList());
        assertEquals(List.of("owl", "owl", "owl"),
                plan.trials(Phase.TEST, table.rows()).stream().map(trial -> trial.subject().name()).toList(),
                "each subject in its phase");
    }

    @Test
    void customVariantHasStepsAndLearningRatesOfItsMethod() {
        MethodVariant fast = MethodVariant.of("fast", " --method lora --rank 4  --precision bf16 ");
        MethodVariant lora = MethodVariant.ofName("lora-4").orElseThrow();
        assertEquals(List.of("--method", "lora", "--rank", "4", "--precision", "bf16"), fast.options());
        assertEquals(lora.steps(), fast.steps());
        assertEquals(lora.learningRates(), fast.learningRates());
        assertThrows(IllegalArgumentException.class, () -> MethodVariant.of("none", "--rank 4"));
        assertThrows(IllegalArgumentException.class, () -> MethodVariant.of("none", "--method"));
    }

    @Test
    void rejectsUnknownSubjects() {
        ExperimentPlan plan = new ExperimentPlan(List.of(Phase.TEST), List.of("unicorn"), MethodVariant.COMPARED, 1,
                Map.of(), ExperimentPlan.RunLength.FULL);
        assertTrue(assertThrows(Failure.Incompatible.class, () -> plan.trials(Phase.TEST, table.rows())).getMessage()
                .contains("unicorn"));
        assertThrows(IllegalArgumentException.class, () -> new ExperimentPlan.RunLength(0, 4));
        assertThrows(IllegalArgumentException.class, () -> new ExperimentPlan.RunLength(1, 0));
    }

    private double rate(MethodVariant variant) throws Failure {
        return plan(List.of("owl"), List.of(variant), Map.of()).trials(Phase.TEST, table.rows())
                .getFirst()
                .settings()
                .learningRate();
    }
}
