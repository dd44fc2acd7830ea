package atomstudio.tuning.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraStructure.Form;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvolutionarySearchTest {
    private static final long BUDGET = 900;
    @TempDir
    Path folder;

    private static final StructureSpace SPACE = new StructureSpace(IntStream.range(0, 10)
            .mapToObj(i -> new Layer(Component.UNET, "layer" + i, Layer.Kind.LINEAR, Shape.of(8, 12),
                    i % 2 == 0 ? Layer.Bias.PRESENT : Layer.Bias.ABSENT))
            .toList(), 4);

    /// Low where A is a vector and B a product.
    private static double loss(List<GloraStructure> structures) {
        double loss = 0;
        for (GloraStructure each : structures)
            loss += (each.a() == Form.VECTOR ? 0 : 1) + (each.b() == Form.LOW_RANK ? 0 : 1)
                    + (each.c() == Form.NONE ? 0 : 0.5);
        return loss;
    }

    private static EvolutionarySearch search(int population, int generations, long budget) {
        return new EvolutionarySearch(SPACE, new EvolutionarySearch.Settings(population, generations, budget, 3));
    }

    private static List<EvolutionarySearch.Evaluation> run(EvolutionarySearch search) throws Failure {
        return search.run(structures -> OptionalDouble.of(loss(structures)), _ -> {}).orElseThrow();
    }

    @Test
    void findsABetterStructureThanRandomOnesWithinTheBudget() throws Exception {
        List<EvolutionarySearch.Evaluation> found = run(search(50, 20, BUDGET));
        assertEquals(1000, found.size());
        assertEquals(1000, new HashSet<>(found.stream().map(EvolutionarySearch.Evaluation::structures).toList()).size(),
                "no structure twice");
        for (EvolutionarySearch.Evaluation each : found) {
            assertTrue(each.parameters() <= BUDGET && each.parameters() > 0);
            assertEquals(SPACE.parameterCount(each.structures()), each.parameters());
        }
        double best = found.stream().mapToDouble(EvolutionarySearch.Evaluation::loss).min().orElseThrow();
        double bestRandom = EvolutionarySearch.random(SPACE, BUDGET, 1000, 9)
                .stream()
                .mapToDouble(EvolutionarySearchTest::loss)
                .min()
                .orElseThrow();
        assertTrue(best < bestRandom - 2, best + " is not well below " + bestRandom);
        assertTrue(IntStream.of(0, 1, 2)
                .allMatch(origin -> found.stream()
                        .anyMatch(each -> each.origin() == EvolutionarySearch.Origin.values()[origin])));
        assertEquals(found, run(search(50, 20, BUDGET)), "a function of the seed");
    }

    @Test
    void smallBudgetsAreKept() throws Exception {
        for (EvolutionarySearch.Evaluation each : run(search(8, 3, 40))) assertTrue(each.parameters() <= 40);
    }

    @Test
    void continuesWithKnownLossesAfterAnInterruption() throws Exception {
        List<EvolutionarySearch.Evaluation> whole = run(search(10, 6, BUDGET));
        SearchTable table = new SearchTable(folder.resolve("search.csv"));
        for (int stop : new int[] {1, 10, 37, 59}) {
            List<EvolutionarySearch.Evaluation> before = new ArrayList<>();
            assertTrue(search(10, 6, BUDGET).run(structures -> before.size() == stop ? OptionalDouble.empty()
                    : OptionalDouble.of(loss(structures)), before::add).isEmpty());
            table.write(before);
            Map<List<GloraStructure>, Double> known = table.losses(SPACE);
            assertEquals(stop, known.size());
            int[] computed = {0};
            List<EvolutionarySearch.Evaluation> continued = search(10, 6, BUDGET).run(structures -> {
                if (known.containsKey(structures)) return OptionalDouble.of(known.get(structures));
                computed[0]++;
                return OptionalDouble.of(loss(structures));
            }, _ -> {}).orElseThrow();
            assertEquals(whole, continued);
            assertEquals(whole.size() - stop, computed[0]);
        }
    }

    @Test
    void theFrontHasNoDominatedStructure() throws Exception {
        List<EvolutionarySearch.Evaluation> all = run(search(20, 5, BUDGET));
        List<EvolutionarySearch.Evaluation> front = EvolutionarySearch.paretoFront(all);
        assertEquals(all.stream().mapToDouble(EvolutionarySearch.Evaluation::loss).min().orElseThrow(),
                front.getLast().loss());
        for (EvolutionarySearch.Evaluation point : front)
            assertFalse(all.stream()
                    .anyMatch(each -> each.parameters() <= point.parameters() && each.loss() < point.loss()));
        for (int i = 1; i < front.size(); i++)
            assertTrue(front.get(i).parameters() > front.get(i - 1).parameters()
                    && front.get(i).loss() < front.get(i - 1).loss());
    }

    @Test
    void damagedTablesAreRejected() throws Exception {
        Path file = folder.resolve("search.csv");
        new SearchTable(file).write(run(search(4, 1, BUDGET)));
        String text = Files.readString(file);
        Map<String, String> damages = new HashMap<>();
        damages.put("x" + text, "expected the table of a search");
        damages.put(text.substring(0, text.length() - 20), "line 5");
        for (Map.Entry<String, String> damage : damages.entrySet()) {
            Files.writeString(file, damage.getKey());
            String message = assertThrows(Failure.Unreadable.class, () -> new SearchTable(file).losses(SPACE))
                    .getMessage();
            assertTrue(message.contains(damage.getValue()), message);
        }
    }

    @Test
    void wrongSettingsAreRejected() {
        for (int[] wrong : new int[][] {{3, 1, 1}, {4, 0, 1}, {4, 1, 0}})
            assertThrows(IllegalArgumentException.class,
                    () -> new EvolutionarySearch.Settings(wrong[0], wrong[1], wrong[2], 0));
    }
}
