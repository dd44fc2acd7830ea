package atomstudio.diffusion.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import org.junit.jupiter.api.Test;

class PictureTest {
    @Test void scalesAsPillowDoes() throws Failure {
        Picture noise = Samples.read("lanczos.png");
        assertEquals(Samples.read("lanczos-11x7.png"), noise.resize(11, 7));
        assertEquals(Samples.read("lanczos-50x61.png"), noise.resize(50, 61));
    }

    @Test void cutsTheCentreSquare() throws Failure {
        assertEquals(Samples.read("lanczos-square-16.png"), Samples.read("lanczos.png").square(16));
    }

    @Test void enlargesPicturesSmallerThanTheModelWants() {
        Picture large = Picture.filled(3, 2, 0x123456).square(64);
        assertEquals(Picture.filled(64, 64, 0x123456), large);
    }

    @Test void composesTransparencyOverMidGrey() {
        Picture picture = new Picture(3, 1, new int[] {0x00FFFFFF, 0x80FF0000, 0xFF010203});
        assertEquals(new Picture(3, 1, new int[] {0xFF808080, 0xFFC04040, 0xFF010203}), picture.opaque());
    }

    @Test void tensorsGoFromMinusOneToOneAndBack() {
        int[] argb = new int[256];
        for (int i = 0; i < 256; i++) argb[i] = 0xFF000000 | i << 16 | (255 - i) << 8 | (i * 7 & 0xFF);
        Picture picture = new Picture(16, 16, argb);
        Tensor tensor = picture.toTensor();
        assertEquals(Shape.of(1, 3, 16, 16), tensor.shape());
        assertEquals(-1f, tensor.data()[0]);
        assertEquals(1f, tensor.data()[255]);
        assertEquals(1f, tensor.data()[256]);
        assertEquals(picture, Picture.of(tensor));
    }

    @Test void decodedNumbersAreClampedAndRoundedHalfToEven() {
        float half = 2 * (0.5f / 255) - 1;
        float[] data = {-3f, 5f, half, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f};
        Picture picture = Picture.of(new Tensor(Shape.of(1, 3, 2, 2), data));
        assertEquals(0xFF008080, picture.argb()[0]);
        assertEquals(0xFFFF8080, picture.argb()[1]);
        assertEquals(0xFF008080, picture.argb()[2]);
        assertEquals(0xFF808080, picture.argb()[3]);
    }

    @Test void refusesATensorThatIsNoPicture() {
        assertThrows(IllegalArgumentException.class, () -> Picture.of(Tensor.zeros(Shape.of(1, 4, 2, 2))));
        assertThrows(IllegalArgumentException.class, () -> new Picture(2, 2, new int[3]));
    }

    @Test void fillsAnotherShapeWithItsCentre() {
        int[] argb = new int[80 * 40];
        for (int i = 0; i < argb.length; i++) argb[i] = i % 80 < 20 || i % 80 >= 60 ? 0xFFFF0000 : 0xFF0000FF;
        Picture filled = new Picture(80, 40, argb).filling(20, 20);
        assertEquals(Picture.filled(20, 20, 0x0000FF), filled);
        assertEquals(new Picture(80, 40, argb), new Picture(80, 40, argb).filling(80, 40));
    }
}
