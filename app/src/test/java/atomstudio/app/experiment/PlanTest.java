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

class PlanTest {
    private static final Plan WHOLE = plan(List.of(), Variant.COMPARED, Map.of());

    @TempDir Path folder;
    private Table table;

    @BeforeEach void open() throws Failure {
        table = Table.open(folder.resolve("experiment.csv"));
    }

    private static Plan plan(List<String> subjects, List<Variant> variants, Map<String, Double> rates) {
        return new Plan(List.of(Phase.values()), subjects, variants, 3, rates, Plan.Extent.WHOLE);
    }

    @Test void everyMethodIsTriedAtThreeRatesOnThreeSubjectsThatCountForNothingElse() throws Failure {
        List<Trial> trials = WHOLE.trials(Phase.TUNE, table);
        assertEquals(Variant.COMPARED.size() * 3 * 3, trials.size());
        List<String> seen = trials.stream().map(trial -> trial.thing().name()).distinct().toList();
        assertEquals(List.of("boat", "clock", "ghost"), seen);
        assertTrue(WHOLE.trials(Phase.TEST, table).stream().noneMatch(trial -> seen.contains(trial.thing().name())), "what no choice has seen");
    }

    @Test void atomsAtomsWithAWordAndLoraHaveThreeSeedsAndTheOthersOne() throws Failure {
        List<Trial> trials = WHOLE.trials(Phase.TEST, table);
        assertEquals(6 * (Variant.COMPARED.size() + 3 * 2), trials.size());
        assertEquals(3, trials.stream().filter(trial -> trial.variant().name().equals("lora-4") && trial.thing().name().equals("owl")).count());
        assertEquals(1, trials.stream().filter(trial -> trial.variant().name().equals("lora-16") && trial.thing().name().equals("owl")).count());
        assertEquals(trials.size(), new HashSet<>(trials.stream().map(Trial::folder).toList()).size(), "every run has a folder of its own");
    }

    @Test void aRunIsLookedAtFourTimesTheLastTimeAtItsEnd() {
        assertEquals(List.of(50, 100, 150, 200), new Trial.Settings(1, 200, 0, 4).looks());
        assertEquals(List.of(1, 2), new Trial.Settings(1, 2, 0, 4).looks(), "never twice at the same step");
    }

    @Test void theTestTakesTheRateWhoseBestCheckpointScoresHighestOverTheSubjects() throws Failure {
        Variant atoms = Variant.named("atoms").orElseThrow();
        assertEquals(3e-3, rate(atoms), "the usual one while nothing is known");
        table.add(Entries.of(Entries.tune("boat", Entry.Key.UNTUNED, 0, 0), 0.45, 0.9));
        table.add(Entries.of(Entries.tune("clock", Entry.Key.UNTUNED, 0, 0), 0.45, 0.9));
        table.add(Entries.of(Entries.tune("boat", "atoms", 3e-3, 400), 0.5, 0.8));
        table.add(Entries.of(Entries.tune("clock", "atoms", 3e-3, 400), 0.5, 0.8));
        table.add(Entries.of(Entries.tune("boat", "atoms", 3e-2, 200), 0.6, 0.6));
        table.add(Entries.of(Entries.tune("clock", "atoms", 3e-2, 200), 0.6, 0.6));
        table.add(Entries.of(Entries.tune("boat", "atoms", 3e-2, 400), 0.9, -0.5));
        assertEquals(3e-2, rate(atoms), "likeness gained counts, not likeness; a run that went too far later was good in its middle");
        table.add(Entries.of(Entries.test("owl", "atoms", 0, 400), 1, 1));
        assertEquals(3e-2, rate(atoms), "subjects of the test have no say");
    }

    @Test void aGivenRateIsTheOnlyOne() throws Failure {
        Plan plan = plan(List.of("boat", "owl"), List.of(Variant.named("atoms").orElseThrow()), Map.of("atoms", 0.5));
        assertEquals(List.of(0.5), plan.trials(Phase.TUNE, table).stream().map(trial -> trial.settings().rate()).toList());
        assertEquals(List.of("owl", "owl", "owl"), plan.trials(Phase.TEST, table).stream().map(trial -> trial.thing().name()).toList(), "each subject in its own phase");
    }

    @Test void aVariantOfOnesOwnHasTheStepsAndRatesOfItsMethod() {
        Variant fast = Variant.of("fast", " --method lora --rank 4  --precision bf16 ");
        Variant lora = Variant.named("lora-4").orElseThrow();
        assertEquals(List.of("--method", "lora", "--rank", "4", "--precision", "bf16"), fast.options());
        assertEquals(lora.steps(), fast.steps());
        assertEquals(lora.rates(), fast.rates());
        assertThrows(IllegalArgumentException.class, () -> Variant.of("none", "--rank 4"));
        assertThrows(IllegalArgumentException.class, () -> Variant.of("none", "--method"));
    }

    @Test void subjectsThatNobodyKnowsAreRefused() {
        Plan plan = new Plan(List.of(Phase.TEST), List.of("unicorn"), Variant.COMPARED, 1, Map.of(), Plan.Extent.WHOLE);
        assertTrue(assertThrows(Failure.Incompatible.class, () -> plan.trials(Phase.TEST, table)).getMessage().contains("unicorn"));
        assertThrows(IllegalArgumentException.class, () -> new Plan.Extent(0, 4));
        assertThrows(IllegalArgumentException.class, () -> new Plan.Extent(1, 0));
    }

    private double rate(Variant variant) throws Failure {
        return plan(List.of("owl"), List.of(variant), Map.of()).trials(Phase.TEST, table).getFirst().settings().rate();
    }
}
