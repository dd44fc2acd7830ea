package atomstudio.diffusion.image.webp;

import java.io.IOException;
import javax.imageio.IIOException;

/// Reads a lossless WebP bit stream, least significant bit first.
final class Vp8lBitReader {
    private final byte[] bytes;
    /// In bits.
    private long position;

    Vp8lBitReader(byte[] bytes) {
        this.bytes = bytes;
    }

    /// @param count 0 to 24
    int read(int count) throws IOException {
        int value = peek(count);
        skip(count);
        return value;
    }

    boolean readFlag() throws IOException {
        return read(1) == 1;
    }

    /// The next bits without advancing; zero beyond the end.
    int peek(int count) {
        int first = (int) (position >> 3);
        int shift = (int) position & 7;
        int window = 0;
        for (int i = 0; i < 4; i++) window |= first + i < bytes.length ? (bytes[first + i] & 0xFF) << 8 * i : 0;
        return window >>> shift & (1 << count) - 1;
    }

    void skip(int count) throws IOException {
        position += count;
        if (position > 8L * bytes.length) throw new IIOException("its lossless image is truncated");
    }
}
