package atomstudio.tuning.optimize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LearningRatesTest {
    private static final List<LearningRates.ParameterGroup> GROUPS = List.of(
            new LearningRates.ParameterGroup(0, 4, 1, 0.1),
            new LearningRates.ParameterGroup(4, 8, 0.01, 0.4));
    private static final float[] GRADIENT = {1, 2, -1, 0.5f, -3, 2, 4, -5};

    /// AdamW and Muon step each parameter group independently.
    @Test
    void groupsStepIndependently() throws Exception {
        assertIndependent(() -> new AdamW(8), () -> new AdamW(4));
        Muon.Orthogonalization none = (matrices, count, rows, columns) -> matrices;
        assertIndependent(() -> new Muon(List.of(Shape.of(2, 2), Shape.of(2, 2)), 8, none),
                () -> new Muon(List.of(Shape.of(2, 2)), 4, none));
    }

    private static void assertIndependent(Supplier<Optimizer> whole, Supplier<Optimizer> half) throws Exception {
        float[] together = {1, 2, 3, 4, 5, 6, 7, 8};
        float[] first = {1, 2, 3, 4};
        float[] second = {5, 6, 7, 8};
        Optimizer one = whole.get(), fast = half.get(), slow = half.get();
        for (int step = 0; step < 3; step++) {
            one.step(together, GRADIENT.clone(), new LearningRates(0.1, GROUPS));
            fast.step(first, Arrays.copyOfRange(GRADIENT, 0, 4), LearningRates.uniform(0.1, 4, 0.1));
            slow.step(second, Arrays.copyOfRange(GRADIENT, 4, 8), LearningRates.uniform(0.001, 4, 0.4));
        }
        assertArrayEquals(first, Arrays.copyOfRange(together, 0, 4));
        assertArrayEquals(second, Arrays.copyOfRange(together, 4, 8));
    }

    /// Prodigy estimates one distance for all groups, so the rates differ by the factor alone.
    @Test
    void prodigyScalesEachGroupByItsFactor() throws Exception {
        float[] parameters = new float[8];
        new Prodigy(parameters).step(parameters, GRADIENT, new LearningRates(1, GROUPS));
        for (int i = 0; i < 4; i++) {
            double fast = Math.abs(parameters[i]), slow = Math.abs(parameters[i + 4]);
            assertTrue(fast > 0);
            assertEquals(0.01, slow / fast, 1e-4);
        }
    }

    /// Every optimizer: parameters of a group with rate 0 stay as they are, the others move.
    @Test
    void aGroupWithRateZeroStays() throws Exception {
        Muon.Orthogonalization none = (matrices, count, rows, columns) -> matrices;
        float[] start = {1, 2, 3, 4, 5, 6, 7, 8};
        for (Optimizer optimizer : List.of(new AdamW(8), new Prodigy(start.clone()),
                new Muon(List.of(Shape.of(2, 2), Shape.of(2, 2)), 8, none))) {
            float[] parameters = start.clone();
            LearningRates rates = new LearningRates(0.1, List.of(new LearningRates.ParameterGroup(0, 4, 0, 0.5),
                    new LearningRates.ParameterGroup(4, 8, 1, 0)));
            for (int step = 0; step < 3; step++) optimizer.step(parameters, GRADIENT.clone(), rates);
            assertArrayEquals(Arrays.copyOf(start, 4), Arrays.copyOf(parameters, 4));
            for (int i = 4; i < 8; i++) assertTrue(parameters[i] != start[i], optimizer + " " + i);
        }
    }

    @Test
    void prodigysWeightDecayIsScaledByItsDistance() throws Exception {
        float[] with = {1, 2}, without = {1, 2};
        new Prodigy(with.clone()).step(with, new float[2], LearningRates.uniform(1, 2, 0.5));
        new Prodigy(without.clone()).step(without, new float[2], LearningRates.uniform(1, 2));
        assertArrayEquals(new float[] {1, 2}, without);
        assertArrayEquals(new float[] {1 - 0.5e-6f, 2 - 1e-6f}, with, 1e-7f);
    }

    @Test
    void rejectsGroupsWithGaps() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> new LearningRates(1,
                List.of(new LearningRates.ParameterGroup(0, 2, 1), new LearningRates.ParameterGroup(3, 4, 1))));
        assertThrows(IllegalArgumentException.class, () -> LearningRates.uniform(1, 2).groupAt(2));
    }
}
