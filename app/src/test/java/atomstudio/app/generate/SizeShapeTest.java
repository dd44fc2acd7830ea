package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.generate.ImageGridView.GridShape;
import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.app.generate.SizeView.SizeShape;
import org.junit.jupiter.api.Test;

class SizeShapeTest {
    @Test
    void shorterSideIsTheModelsResolution() {
        assertEquals(new OutputSize(512, 512), SizeShape.SQUARE.size(512));
        assertEquals(new OutputSize(768, 512), SizeShape.THREE_TO_TWO.size(512));
        assertEquals(new OutputSize(512, 768), SizeShape.TWO_TO_THREE.size(512));
        assertEquals(new OutputSize(896, 512), SizeShape.SIXTEEN_TO_NINE.size(512), "a multiple of 64");
        assertEquals(new OutputSize(192, 128), SizeShape.THREE_TO_TWO.size(128));
        assertEquals(new OutputSize(224, 128), SizeShape.SIXTEEN_TO_NINE.size(128), "a multiple of 8");
    }

    @Test
    void gridHasTheLargestCells() {
        assertEquals(2, GridShape.of(4, new OutputSize(128, 128), 700, 700).columns());
        assertEquals(4, GridShape.of(4, new OutputSize(128, 128), 1200, 250).columns());
        assertEquals(1, GridShape.of(4, new OutputSize(512, 128), 700, 700).columns());
        assertEquals(3, GridShape.of(9, new OutputSize(128, 128), 700, 700).columns());
    }
}
