package atomstudio.diffusion.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.IIOException;

/// Iterates over the segments of a JPEG file up to the end of the image.
/// Source: ITU-T T.81, B.1.
final class JpegSegments implements AutoCloseable {
    static final int APP1 = 0xE1;
    static final int START_OF_SCAN = 0xDA;
    private static final int END_OF_IMAGE = 0xD9;
    /// Progressive JPEGs have about ten.
    private static final int MAX_SCANS = 100;
    /// Pixels of all scans together that decode in a few seconds.
    private static final long MAX_SCANNED_PIXELS = 400_000_000;
    private static final long SCANNED_PIXELS_PER_BYTE = 200;

    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int end;
    private int marker;
    /// Bytes left in the current segment.
    private int remaining;

    JpegSegments(Path file) throws IOException {
        in = Files.newInputStream(file);
    }

    /// Rejects a file that would take very long to decode: each scan of a progressive JPEG covers all pixels, so a
    /// small file of many scans could take hours. The limit grows with the file size.
    static void requireFewScans(Path file) throws IOException {
        long scans = 0;
        long pixels = 0;
        try (JpegSegments segments = new JpegSegments(file)) {
            while (segments.next()) {
                if (segments.marker == START_OF_SCAN) scans++;
                if (segments.isFrameHeader()) {
                    byte[] data = segments.data();
                    pixels = data.length < 5 ? 0
                            : (long) ((data[1] & 0xFF) << 8 | data[2] & 0xFF)
                                    * ((data[3] & 0xFF) << 8 | data[4] & 0xFF);
                }
                if (scans > MAX_SCANS
                        || scans * pixels > MAX_SCANNED_PIXELS + SCANNED_PIXELS_PER_BYTE * Files.size(file))
                    throw new IIOException("it has at least " + scans + " scans of " + pixels + " pixels in "
                            + Files.size(file) + " bytes");
            }
        }
    }

    /// Whether the segment is a frame header, which has the image size.
    private boolean isFrameHeader() {
        return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    /// Advances to the next segment; false at the end of the image or the file.
    boolean next() throws IOException {
        while (remaining-- > 0) if (read() < 0) return false;
        do {
            int next = read();
            while (next >= 0 && next != 0xFF) next = read();
            while (next == 0xFF) next = read();
            marker = next;
        } while (marker == 0 || marker == 1 || marker >= 0xD0 && marker <= 0xD8);
        if (marker < 0 || marker == END_OF_IMAGE) return false;
        int high = read();
        int low = read();
        remaining = (high << 8 | low) - 2;
        return low >= 0 && remaining >= 0;
    }

    int marker() {
        return marker;
    }

    /// The data of the segment; shorter if the file is truncated.
    byte[] data() throws IOException {
        byte[] data = new byte[remaining];
        int filled = 0;
        for (int next = 0; filled < data.length && (next = read()) >= 0; filled++) data[filled] = (byte) next;
        remaining -= filled;
        return data;
    }

    private int read() throws IOException {
        if (position == end) {
            position = 0;
            end = Math.max(0, in.read(buffer));
            if (end == 0) return -1;
        }
        return buffer[position++] & 0xFF;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
