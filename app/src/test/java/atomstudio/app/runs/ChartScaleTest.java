package atomstudio.app.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.DoubleSummaryStatistics;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class ChartScaleTest {
    private static final ChartScale AREA = new ChartScale(48, 22, 400, 200, 0, 100, 0, 1);

    private static ChartScale scaled(double... values) {
        return AREA.scaledTo(DoubleStream.of(values).summaryStatistics());
    }

    @Test
    void ticksAreRoundNumbers() {
        assertEquals(0.2, ChartScale.tickUnit(1), 1e-12);
        assertEquals(0.02, ChartScale.tickUnit(0.09), 1e-12);
        assertEquals(50, ChartScale.tickUnit(230), 1e-9);
    }

    @Test
    void edgesAreTicksAroundTheValues() {
        ChartScale scale = scaled(0.13, 0.93);
        assertEquals(0, scale.bottom(), 1e-12);
        assertEquals(1, scale.top(), 1e-12);
        assertEquals(22, scale.y(scale.top()), 1e-9);
        assertEquals(222, scale.y(scale.bottom()), 1e-9);
    }

    @Test
    void equalValuesAndNoneHaveARange() {
        ChartScale equal = scaled(0.5, 0.5);
        assertTrue(equal.bottom() <= 0.5 && equal.top() > 0.5, equal.toString());
        ChartScale none = AREA.scaledTo(new DoubleSummaryStatistics());
        assertEquals(0, none.bottom());
        assertEquals(1, none.top(), 1e-12);
    }

    @Test
    void stepsAndPixelsAreInverse() {
        assertEquals(248, AREA.x(50));
        assertEquals(50, AREA.stepAt(248));
    }
}
