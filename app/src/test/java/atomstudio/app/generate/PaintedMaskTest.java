package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.generate.PaintedMask.Area;
import atomstudio.app.generate.PaintedMask.BrushMode;
import atomstudio.app.generate.PaintedMask.BrushTip;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PaintedMaskTest {
    private static final BrushTip BRUSH = new BrushTip(14, BrushMode.PAINT);

    private final PaintedMask mask = new PaintedMask(512, 512);

    private int paintedPixels() {
        int count = 0;
        for (int y = 0; y < mask.height(); y++)
            for (int x = 0; x < mask.width(); x++) if (mask.isPainted(x, y)) count++;
        return count;
    }

    @Test
    void strokeChangesOnlyItsArea() {
        Area area = mask.stroke(100, 200, 110, 205, BRUSH);
        assertTrue(area.width() * area.height() < 2000, area.toString());
        int inside = 0;
        for (int y = area.y(); y < area.y() + area.height(); y++)
            for (int x = area.x(); x < area.x() + area.width(); x++) if (mask.isPainted(x, y)) inside++;
        assertEquals(paintedPixels(), inside);
        assertTrue(inside > 600, inside + " pixels");
    }

    @Test
    void dotIsADiscOfTheBrush() {
        mask.stroke(100, 100, 100, 100, BRUSH);
        for (int y = 80; y < 120; y++)
            for (int x = 80; x < 120; x++)
                assertEquals(Math.hypot(x + 0.5 - 100, y + 0.5 - 100) <= 14, mask.isPainted(x, y), x + ", " + y);
    }

    @Test
    void strokesBeyondTheEdgeStayInTheCanvas() {
        Area area = mask.stroke(-30, 500, 700, 530, BRUSH);
        assertTrue(area.x() >= 0 && area.y() >= 0 && area.x() + area.width() <= 512
                && area.y() + area.height() <= 512, area.toString());
        assertTrue(mask.isPainted(511, 511));
        assertEquals(0, mask.stroke(-100, -100, -90, -90, BRUSH).width());
    }

    @Test
    void strokesAreUndoneAndRedone() {
        mask.beginStroke();
        mask.stroke(50, 50, 60, 60, BRUSH);
        mask.stroke(60, 60, 70, 70, BRUSH);
        int first = paintedPixels();
        mask.beginStroke();
        mask.stroke(300, 300, 300, 300, BRUSH);
        int both = paintedPixels();
        mask.clear();
        assertEquals(Optional.empty(), mask.toMask());
        mask.undo();
        assertEquals(both, paintedPixels());
        mask.undo();
        assertEquals(first, paintedPixels(), "a stroke of several moves is undone as a whole");
        mask.redo();
        assertEquals(both, paintedPixels());
        mask.undoAll();
        assertEquals(0, paintedPixels());
        assertFalse(mask.canUndo());
        mask.redo();
        assertEquals(first, paintedPixels(), "a cancelled painting can be taken up again");
        mask.beginStroke();
        assertFalse(mask.canRedo(), "a new stroke ends redo");
    }
}
