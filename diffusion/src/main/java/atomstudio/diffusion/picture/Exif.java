package atomstudio.diffusion.picture;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// The orientation in a file's EXIF block, and nothing else of it, so that nothing in it has to be unpacked or allocated.
/// Source: CIPA DC-008 (Exif 2.32); TIFF 6.0, 2.
final class Exif {
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;
    private static final int ENTRY = 12;
    private static final byte[] MARK = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);

    private Exif() {}

    /// The value 1 to 8; empty where the file gives none, or none that makes sense.
    static Optional<Integer> orientation(Path file, PictureKind kind) throws IOException {
        return switch (kind) {
            case JPEG -> ofJpeg(file);
            case PNG -> PngChunks.exif(file).flatMap(Exif::ofBlock);
            case WEBP -> WebpFile.read(file).exif().flatMap(Exif::ofBlock);
            case TIFF -> ofTiff(file);
            case GIF, BMP, HEIF -> Optional.empty();
        };
    }

    /// In a block as files carry it, with its mark before it or without.
    static Optional<Integer> ofBlock(byte[] block) {
        return first(ByteBuffer.wrap(marked(block) ? Arrays.copyOfRange(block, MARK.length, block.length) : block));
    }

    private static Optional<Integer> ofJpeg(Path file) throws IOException {
        try (JpegSegments segments = new JpegSegments(file)) {
            while (segments.next() && segments.marker() != JpegSegments.START_OF_SCAN) {
                if (segments.marker() != JpegSegments.APP1) continue;
                byte[] data = segments.data();
                if (!marked(data)) continue;
                Optional<Integer> found = ofBlock(data);
                if (found.isPresent()) return found;
            }
        }
        return Optional.empty();
    }

    private static boolean marked(byte[] block) {
        return block.length >= MARK.length && Arrays.equals(block, 0, MARK.length, MARK, 0, MARK.length);
    }

    private static Optional<Integer> ofTiff(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer head = at(channel, 0, 8);
            if (head.limit() < 8) return Optional.empty();
            head.order(order(head));
            // In a BigTIFF file, 43 instead of 42, offsets have eight bytes.
            if (head.getShort(2) != 42) return Optional.empty();
            long start = head.getInt(4) & 0xFFFFFFFFL;
            ByteBuffer count = at(channel, start, 2).order(head.order());
            if (count.limit() < 2) return Optional.empty();
            return entry(at(channel, start + 2, (count.getShort(0) & 0xFFFF) * ENTRY).order(head.order()));
        }
    }

    private static ByteBuffer at(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer part = ByteBuffer.allocate(length);
        while (part.hasRemaining() && channel.read(part, position + part.position()) >= 0) {}
        return part.flip();
    }

    private static ByteOrder order(ByteBuffer tiff) {
        return tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    }

    private static Optional<Integer> first(ByteBuffer tiff) {
        try {
            tiff.order(order(tiff));
            if (tiff.getShort(2) != 42) return Optional.empty();
            long start = tiff.getInt(4) & 0xFFFFFFFFL;
            if (start + 2 > tiff.limit()) return Optional.empty();
            ByteBuffer entries = tiff.slice((int) start + 2, tiff.limit() - (int) start - 2).order(tiff.order());
            int length = (tiff.getShort((int) start) & 0xFFFF) * ENTRY;
            return entry(length < entries.limit() ? entries.limit(length) : entries);
        } catch (IndexOutOfBoundsException | BufferUnderflowException cut) {
            return Optional.empty();
        }
    }

    private static Optional<Integer> entry(ByteBuffer entries) {
        for (int at = 0; at + ENTRY <= entries.limit(); at += ENTRY) {
            if ((entries.getShort(at) & 0xFFFF) != ORIENTATION) continue;
            int value = entries.getShort(at + 2) == SHORT ? entries.getShort(at + 8) : entries.getInt(at + 8);
            return value >= 1 && value <= Orientation.values().length ? Optional.of(value) : Optional.empty();
        }
        return Optional.empty();
    }
}
