package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CellOrder.SetGuidance;
import atomstudio.app.compare.CellOrder.SetSteps;
import atomstudio.app.compare.CellOrder.SetStrength;
import atomstudio.diffusion.Failure;
import java.util.List;
import org.junit.jupiter.api.Test;

class GridAxisTest {
    private static List<Double> strengths(String values) throws Failure {
        return GridAxis.STRENGTH.parse(values).stream().map(change -> ((SetStrength) change).strength()).toList();
    }

    @Test
    void valuesAndRangesOfA1111() throws Failure {
        assertEquals(List.of(new SetSteps(10), new SetSteps(20)), GridAxis.STEPS.parse(" 10, 20 ,10,"));
        assertEquals(List.of(-1.0, 0.0, 0.5), strengths("-1, 0, 0.5"));
        assertEquals(List.of(1.0, 2.0, 3.0), strengths("1-3"));
        assertEquals(List.of(0.0, 0.1, 0.2, 0.3), strengths("0-0.3 (+0.1)"));
        assertEquals(List.of(-1.0, -0.5, 0.0), strengths("-1 - 0 [3]"));
        assertEquals(List.of(new SetGuidance(7.5)), GridAxis.GUIDANCE.parse("7.5"));
        assertEquals(4, GridAxis.STRENGTH.parse(GridAxis.STRENGTH.example()).size());
    }

    @Test
    void invalidValuesNameTheAxisAndWhatIsExpected() {
        for (String wrong : List.of("x", "11", "1-0", "0-1 (+0)", "0-1 (0.1)")) {
            String message = assertThrows(Failure.Incompatible.class, () -> GridAxis.STRENGTH.parse(wrong))
                    .getMessage();
            assertTrue(message.startsWith("Strength: expected numbers, -10 to 10") && message.contains(wrong), message);
        }
        assertTrue(assertThrows(Failure.Incompatible.class, () -> GridAxis.STEPS.parse("2.5")).getMessage()
                .contains("whole numbers"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> GridAxis.GUIDANCE.parse(" , ")).getMessage()
                .contains("found none"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> GridAxis.STEPS.parse("1-30")).getMessage()
                .contains("at most 20"));
    }
}
