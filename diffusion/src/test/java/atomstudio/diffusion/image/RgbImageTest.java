package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import org.junit.jupiter.api.Test;

class RgbImageTest {
    @Test
    void resizeMatchesPillow() throws Failure {
        RgbImage noise = SampleImages.read("lanczos.png");
        assertEquals(SampleImages.read("lanczos-11x7.png"), noise.resize(11, 7));
        assertEquals(SampleImages.read("lanczos-50x61.png"), noise.resize(50, 61));
    }

    @Test
    void centerSquareMatchesPillow() throws Failure {
        assertEquals(SampleImages.read("lanczos-square-16.png"), SampleImages.read("lanczos.png").centerSquare(16));
    }

    @Test
    void centerSquareEnlargesSmallImages() {
        RgbImage large = RgbImage.filled(3, 2, 0x123456).centerSquare(64);
        assertEquals(RgbImage.filled(64, 64, 0x123456), large);
    }

    @Test
    void toOpaqueCompositesOverMidGrey() {
        RgbImage image = new RgbImage(3, 1, new int[] {0x00FFFFFF, 0x80FF0000, 0xFF010203});
        assertEquals(new RgbImage(3, 1, new int[] {0xFF808080, 0xFFC04040, 0xFF010203}), image.toOpaque());
    }

    @Test
    void tensorRoundTripIsExact() {
        int[] argb = new int[256];
        for (int i = 0; i < 256; i++) argb[i] = 0xFF000000 | i << 16 | (255 - i) << 8 | (i * 7 & 0xFF);
        RgbImage image = new RgbImage(16, 16, argb);
        Tensor tensor = image.toTensor();
        assertEquals(Shape.of(1, 3, 16, 16), tensor.shape());
        assertEquals(-1f, tensor.data()[0]);
        assertEquals(1f, tensor.data()[255]);
        assertEquals(1f, tensor.data()[256]);
        assertEquals(image, RgbImage.fromTensor(tensor));
    }

    @Test
    void fromTensorClampsAndRoundsHalfToEven() {
        float half = 2 * (0.5f / 255) - 1;
        float[] data = {-3f, 5f, half, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f};
        RgbImage image = RgbImage.fromTensor(new Tensor(Shape.of(1, 3, 2, 2), data));
        assertEquals(0xFF008080, image.argb()[0]);
        assertEquals(0xFFFF8080, image.argb()[1]);
        assertEquals(0xFF008080, image.argb()[2]);
        assertEquals(0xFF808080, image.argb()[3]);
    }

    @Test
    void rejectsInvalidShapes() {
        assertThrows(IllegalArgumentException.class, () -> RgbImage.fromTensor(Tensor.zeros(Shape.of(1, 4, 2, 2))));
        assertThrows(IllegalArgumentException.class, () -> new RgbImage(2, 2, new int[3]));
    }

    @Test
    void cropAndResizeKeepsTheCentre() {
        int[] argb = new int[80 * 40];
        for (int i = 0; i < argb.length; i++) argb[i] = i % 80 < 20 || i % 80 >= 60 ? 0xFFFF0000 : 0xFF0000FF;
        RgbImage filled = new RgbImage(80, 40, argb).cropAndResize(20, 20);
        assertEquals(RgbImage.filled(20, 20, 0x0000FF), filled);
        assertEquals(new RgbImage(80, 40, argb), new RgbImage(80, 40, argb).cropAndResize(80, 40));
    }
}
