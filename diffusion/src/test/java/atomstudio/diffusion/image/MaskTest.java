package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaskTest {
    private static final int WHITE = 0xFFFFFFFF;
    private static final int BLACK = 0xFF000000;

    @TempDir
    Path folder;

    @Test
    void blendsInsideTheMaskOnly() {
        Mask mask = Mask.of(square(32, 8, 24));
        RgbImage original = RgbImage.filled(32, 32, 0x204060);
        RgbImage generated = RgbImage.filled(32, 32, 0xFFFFFF);
        RgbImage blended = mask.blend(original, generated);
        for (int y = 0; y < 32; y++) {
            for (int x = 0; x < 32; x++) {
                boolean inside = x >= 8 && x < 24 && y >= 8 && y < 24;
                int pixel = blended.argb()[y * 32 + x];
                if (!inside) assertEquals(0xFF204060, pixel, "outside at " + x + "," + y);
                else assertTrue((pixel & 0xFF) > 0x60, "inside at " + x + "," + y);
            }
        }
        assertEquals(WHITE, blended.argb()[16 * 32 + 16], "the centre is fully generated");
        assertTrue((blended.argb()[16 * 32 + 8] & 0xFF) < (blended.argb()[16 * 32 + 9] & 0xFF),
                "the edge is feathered inside");
    }

    @Test
    void alphaChannelIsTheMaskOfTransparentImages() {
        int[] argb = new int[64];
        argb[9] = BLACK;
        argb[10] = 0x80123456;
        Mask mask = Mask.of(new RgbImage(8, 8, argb));
        assertTrue(mask.isInpainted(1, 1));
        assertTrue(mask.isInpainted(2, 1));
        assertTrue(!mask.isInpainted(0, 0));
    }

    @Test
    void latentMaskUsesNearestNeighbour() {
        Tensor latents = Mask.of(square(32, 8, 17)).toLatentMask(8);
        float[] expected = new float[16];
        for (int i : new int[] {5, 6, 9, 10}) expected[i] = 1;
        assertArrayEquals(expected, latents.data());
    }

    @Test
    void maskOutFillsMidGrey() {
        Tensor masked = Mask.of(square(16, 8, 16)).maskOut(RgbImage.filled(16, 16, 0xFF0000).toTensor());
        assertEquals(1, masked.data()[0]);
        assertEquals(0, masked.data()[10 * 16 + 10]);
        assertEquals(-1, masked.data()[256]);
        assertEquals(0, masked.data()[256 + 10 * 16 + 10]);
    }

    @Test
    void rejectsBlackMaskAndOtherAspectRatio() throws Exception {
        Path black = folder.resolve("black.png");
        PngWriter.write(black, RgbImage.filled(32, 32, 0), Map.of());
        assertTrue(assertThrows(Failure.Incompatible.class, () -> Mask.read(black, RgbImage.filled(64, 64, 0)))
                .getMessage()
                .contains("completely black"));
        Path wide = folder.resolve("wide.png");
        PngWriter.write(wide, RgbImage.filled(64, 32, 0xFFFFFF), Map.of());
        String message = assertThrows(Failure.Incompatible.class, () -> Mask.read(wide, RgbImage.filled(64, 64, 0)))
                .getMessage();
        assertTrue(message.contains("expected a mask of its image's aspect ratio, 64x64, found 64x32"), message);
    }

    private static RgbImage square(int side, int from, int to) {
        int[] argb = new int[side * side];
        for (int i = 0; i < argb.length; i++)
            argb[i] = i % side >= from && i % side < to && i / side >= from && i / side < to ? WHITE : BLACK;
        return new RgbImage(side, side, argb);
    }
}
