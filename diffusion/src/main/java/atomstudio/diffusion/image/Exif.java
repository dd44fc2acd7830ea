package atomstudio.diffusion.image;

import atomstudio.diffusion.image.webp.WebpFile;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads the orientation of an image file's EXIF block; other tags are not parsed.
/// Source: CIPA DC-008 (Exif 2.32); TIFF 6.0, 2.
final class Exif {
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;
    private static final int ENTRY_BYTES = 12;
    private static final byte[] HEADER = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);

    private static final String RAW_PROFILE_EXIF = "Raw profile type exif";
    private static final String RAW_PROFILE_APP1 = "Raw profile type APP1";
    /// Digits that are parsed: the orientation is near the start.
    private static final int MAX_HEX_DIGITS = 1 << 18;

    private Exif() {}

    /// The orientation, 1 to 8; empty if missing or invalid.
    static Optional<Integer> orientation(Path file, ImageFormat format) throws IOException {
        return switch (format) {
            case JPEG -> ofJpeg(file);
            case PNG -> ofPng(file);
            case WEBP -> WebpFile.read(file).exif().flatMap(Exif::ofBlock);
            case TIFF -> ofTiff(file);
            case GIF, BMP, HEIF -> Optional.empty();
        };
    }

    /// Orientation of an EXIF block with or without its "Exif" header.
    static Optional<Integer> ofBlock(byte[] block) {
        return firstIfdOrientation(
                ByteBuffer.wrap(hasHeader(block) ? Arrays.copyOfRange(block, HEADER.length, block.length) : block));
    }

    /// From the eXIf chunk, or from hex digits in a text chunk as older versions of ImageMagick and Pillow write them.
    private static Optional<Integer> ofPng(Path file) throws IOException {
        Optional<byte[]> chunk = PngChunks.readExif(file);
        if (chunk.isPresent()) return ofBlock(chunk.get());
        Map<String, String> texts = PngText.texts(file).texts();
        return Stream.of(RAW_PROFILE_EXIF, RAW_PROFILE_APP1)
                .map(texts::get)
                .filter(Objects::nonNull)
                .findFirst()
                .flatMap(Exif::ofHex);
    }

    /// The digits follow a line with the name and a line with the length.
    private static Optional<Integer> ofHex(String text) {
        String[] lines = text.strip().split("\\s+", 3);
        if (lines.length < 3) return Optional.empty();
        String digits = lines[2].substring(0, Math.min(MAX_HEX_DIGITS, lines[2].length())).replaceAll("\\s", "");
        try {
            return ofBlock(HexFormat.of().parseHex(digits.substring(0, digits.length() & ~1)));
        } catch (IllegalArgumentException notHex) {
            return Optional.empty();
        }
    }

    private static Optional<Integer> ofJpeg(Path file) throws IOException {
        try (JpegSegments segments = new JpegSegments(file)) {
            while (segments.next() && segments.marker() != JpegSegments.START_OF_SCAN) {
                if (segments.marker() != JpegSegments.APP1) continue;
                byte[] data = segments.data();
                if (!hasHeader(data)) continue;
                Optional<Integer> found = ofBlock(data);
                if (found.isPresent()) return found;
            }
        }
        return Optional.empty();
    }

    private static boolean hasHeader(byte[] block) {
        return block.length >= HEADER.length && Arrays.equals(block, 0, HEADER.length, HEADER, 0, HEADER.length);
    }

    private static Optional<Integer> ofTiff(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer head = readAt(channel, 0, 8);
            if (head.limit() < 8) return Optional.empty();
            head.order(byteOrder(head));
            // BigTIFF (43 instead of 42) has offsets of eight bytes and is not supported.
            if (head.getShort(2) != 42) return Optional.empty();
            long ifdStart = head.getInt(4) & 0xFFFFFFFFL;
            ByteBuffer count = readAt(channel, ifdStart, 2).order(head.order());
            if (count.limit() < 2) return Optional.empty();
            return orientationEntry(
                    readAt(channel, ifdStart + 2, (count.getShort(0) & 0xFFFF) * ENTRY_BYTES).order(head.order()));
        }
    }

    private static ByteBuffer readAt(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer part = ByteBuffer.allocate(length);
        while (part.hasRemaining() && channel.read(part, position + part.position()) >= 0) {}
        return part.flip();
    }

    private static ByteOrder byteOrder(ByteBuffer tiff) {
        return tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    }

    private static Optional<Integer> firstIfdOrientation(ByteBuffer tiff) {
        try {
            tiff.order(byteOrder(tiff));
            if (tiff.getShort(2) != 42) return Optional.empty();
            long ifdStart = tiff.getInt(4) & 0xFFFFFFFFL;
            if (ifdStart + 2 > tiff.limit()) return Optional.empty();
            ByteBuffer entries = tiff.slice((int) ifdStart + 2, tiff.limit() - (int) ifdStart - 2).order(tiff.order());
            int length = (tiff.getShort((int) ifdStart) & 0xFFFF) * ENTRY_BYTES;
            return orientationEntry(length < entries.limit() ? entries.limit(length) : entries);
        } catch (IndexOutOfBoundsException | BufferUnderflowException truncated) {
            return Optional.empty();
        }
    }

    private static Optional<Integer> orientationEntry(ByteBuffer entries) {
        for (int at = 0; at + ENTRY_BYTES <= entries.limit(); at += ENTRY_BYTES) {
            if ((entries.getShort(at) & 0xFFFF) != ORIENTATION) continue;
            int value = entries.getShort(at + 2) == SHORT ? entries.getShort(at + 8) : entries.getInt(at + 8);
            return value >= 1 && value <= Orientation.values().length ? Optional.of(value) : Optional.empty();
        }
        return Optional.empty();
    }

    /// The transform from stored pixels to the upright image, in the order of the EXIF values 1 to 8.
    /// Source: CIPA DC-008 (Exif 2.32), tag 0x0112.
    enum Orientation {
        UPRIGHT(false, false, false), MIRRORED(false, true, false), UPSIDE_DOWN(false, true, true),
        FLIPPED(false, false, true),
        TRANSPOSED(true, false, false), CLOCKWISE(true, false, true), TRANSVERSED(true, true, true),
        COUNTER_CLOCKWISE(true, true, false);

        private final boolean swapped;
        private final boolean fromRight;
        private final boolean fromBottom;

        /// @param swapped whether rows become columns
        /// @param fromRight whether the stored x axis is reversed
        /// @param fromBottom whether the stored y axis is reversed
        Orientation(boolean swapped, boolean fromRight, boolean fromBottom) {
            this.swapped = swapped;
            this.fromRight = fromRight;
            this.fromBottom = fromBottom;
        }

        /// The orientation of a file; upright if missing or invalid.
        static Orientation of(Path file, ImageFormat format) throws IOException {
            return Exif.orientation(file, format).map(value -> values()[value - 1]).orElse(UPRIGHT);
        }

        RgbImage apply(RgbImage stored) {
            if (this == UPRIGHT) return stored;
            int width = swapped ? stored.height() : stored.width();
            int height = swapped ? stored.width() : stored.height();
            int[] upright = new int[width * height];
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    int across = swapped ? y : x;
                    int down = swapped ? x : y;
                    int storedX = fromRight ? stored.width() - 1 - across : across;
                    int storedY = fromBottom ? stored.height() - 1 - down : down;
                    upright[y * width + x] = stored.argb()[storedY * stored.width() + storedX];
                }
            }
            return new RgbImage(width, height, upright);
        }
    }
}
