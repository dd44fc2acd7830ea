package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.ops.Ops.ConvGeometry;
import atomstudio.diffusion.tensor.Shape;
import org.junit.jupiter.api.Test;

class KernelThresholdsTest {
    @Test
    void winogradNeedsWholeTiles() {
        Shape weight = Shape.of(256, 256, 3, 3);
        assertTrue(KernelThresholds.prefersWinograd(Shape.of(1, 256, 32, 32), weight, ConvGeometry.same(3)));
        assertFalse(KernelThresholds.prefersWinograd(Shape.of(1, 256, 34, 32), weight, ConvGeometry.same(3)));
    }

    @Test
    void smallConvolutionsComputeTheirWeight() {
        assertFalse(KernelThresholds.prefersAtomsOnActivations(Shape.of(1, 6, 8, 8), Shape.of(5, 6, 3, 3),
                ConvGeometry.same(3)));
        assertTrue(KernelThresholds.prefersAtomsOnActivations(Shape.of(2, 640, 8, 8), Shape.of(640, 640, 3, 3),
                ConvGeometry.same(3)));
    }

    @Test
    void chunksDivideTheWeight() {
        Shape large = Shape.of(1024, 256, 3, 3);
        assertTrue(KernelThresholds.winogradChunk(large) < large.size(0));
        assertEquals(0, large.size(0) % KernelThresholds.winogradChunk(large));
        assertEquals(6, KernelThresholds.winogradChunk(Shape.of(6, 6, 3, 3)));
        assertEquals(2048, KernelThresholds.channelAtomChunk(Shape.of(4100, 1024), 4));
    }
}
