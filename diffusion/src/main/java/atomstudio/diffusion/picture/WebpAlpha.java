package atomstudio.diffusion.picture;

import java.io.IOException;
import java.util.Arrays;
import javax.imageio.IIOException;

/// The chunk ALPH of a lossy WebP picture.
/// Source: Google, WebP Container Specification, Alpha.
final class WebpAlpha {
    /// How values are predicted from their neighbours, in the order of the numbers in the file.
    private enum Filter { NONE, HORIZONTAL, VERTICAL, GRADIENT }

    private WebpAlpha() {}

    /// Opacities row by row, a byte a pixel.
    static byte[] read(byte[] chunk, WebpFile.Size size) throws IOException {
        if (chunk.length < 1) throw new IIOException("its chunk ALPH is empty");
        byte[] data = Arrays.copyOfRange(chunk, 1, chunk.length);
        byte[] stored = switch (chunk[0] & 3) {
            case 0 -> data;
            case 1 -> greenChannel(Vp8lDecoder.decode(data, size.width(), size.height()));
            default -> throw new IIOException("its chunk ALPH is compressed by an unknown method");
        };
        long pixels = (long) size.width() * size.height();
        if (stored.length < pixels) throw new IIOException("expected " + pixels + " values in its chunk ALPH, found " + stored.length);
        return undoFilter(Filter.values()[chunk[0] >> 2 & 3], stored, size);
    }

    private static byte[] greenChannel(int[] pixels) {
        byte[] greens = new byte[pixels.length];
        for (int i = 0; i < greens.length; i++) greens[i] = (byte) (pixels[i] >> 8);
        return greens;
    }

    /// @param stored what is left of each value when the prediction is taken from it; changed in place
    private static byte[] undoFilter(Filter filter, byte[] stored, WebpFile.Size size) {
        int width = size.width();
        for (int i = 1; filter != Filter.NONE && i < width * size.height(); i++) {
            stored[i] += (byte) (i < width ? stored[i - 1] : i % width == 0 ? stored[i - width] : predict(filter, stored, i, width));
        }
        return stored;
    }

    private static int predict(Filter filter, byte[] values, int i, int width) {
        int left = values[i - 1] & 0xFF;
        int above = values[i - width] & 0xFF;
        return switch (filter) {
            case NONE -> 0;
            case HORIZONTAL -> left;
            case VERTICAL -> above;
            case GRADIENT -> Math.clamp(left + above - (values[i - width - 1] & 0xFF), 0, 255);
        };
    }
}
