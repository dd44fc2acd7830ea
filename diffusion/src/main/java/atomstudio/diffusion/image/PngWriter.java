package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;

/// Writes PNG files: 8 bits per channel, an alpha channel only for images with transparency, text before the pixels.
/// Equal images give equal bytes.
/// Source: W3C, Portable Network Graphics (Third Edition); filter choice by minimum sum of absolute differences (12.7).
public final class PngWriter {
    private PngWriter() {}

    /// Writes an image atomically, replacing an existing file and creating missing folders.
    /// @param text text by keyword (1 to 79 Latin-1 characters); Latin-1 text becomes tEXt chunks, other text iTXt
    /// @throws Failure.Unwritable when the disk is full or the folder cannot be written
    public static void write(Path file, RgbImage image, Map<String, String> text) throws Failure {
        byte[] content = encode(image, text, List.of());
        AtomicFile.write(file, out -> out.write(content));
    }

    /// Writes an image with its generation metadata and embedded adapters.
    /// @throws Failure.Unwritable when the disk is full or the folder cannot be written
    public static void write(Path file, RgbImage image, ImageMetadata metadata) throws Failure {
        byte[] content = encode(image, metadata.toPngText(), metadata.adapters());
        AtomicFile.write(file, out -> out.write(content));
    }

    static byte[] encode(RgbImage image, Map<String, String> text, List<PngAttachment> attachments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int channels = image.hasTransparency() ? 4 : 3;
        out.writeBytes(PngChunks.SIGNATURE);
        out.writeBytes(PngChunks.encodeChunk("IHDR",
                ByteBuffer.allocate(13)
                        .putInt(image.width())
                        .putInt(image.height())
                        .put((byte) 8)
                        .put((byte) (channels == 4 ? 6 : 2))
                        .array()));
        for (Map.Entry<String, String> entry : text.entrySet())
            out.writeBytes(textChunk(entry.getKey(), entry.getValue()));
        for (PngAttachment attachment : attachments) out.writeBytes(attachment.toChunk());
        out.writeBytes(PngChunks.encodeChunk("IDAT", deflate(image, channels)));
        out.writeBytes(PngChunks.encodeChunk("IEND", new byte[0]));
        return out.toByteArray();
    }

    private static byte[] textChunk(String keyword, String text) {
        CharsetEncoder latin1 = StandardCharsets.ISO_8859_1.newEncoder();
        if (keyword.isBlank() || keyword.length() > 79 || keyword.indexOf('\0') >= 0 || !latin1.canEncode(keyword)) {
            throw new IllegalArgumentException(
                    "PNG keyword: expected 1 to 79 Latin-1 characters, found '" + keyword + "'");
        }
        String cleaned = text.replace("\0", "");
        return latin1.canEncode(cleaned)
                ? PngChunks.encodeChunk("tEXt", (keyword + "\0" + cleaned).getBytes(StandardCharsets.ISO_8859_1))
                : PngChunks.encodeChunk("iTXt", (keyword + "\0\0\0\0\0" + cleaned).getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] deflate(RgbImage image, int channels) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION)) {
            byte[] buffer = new byte[1 << 16];
            byte[] above = new byte[image.width() * channels];
            for (int y = 0; y < image.height(); y++) {
                byte[] line = scanline(image, y, channels);
                deflater.setInput(filterLine(line, above, channels));
                while (!deflater.needsInput()) bytes.write(buffer, 0, deflater.deflate(buffer));
                above = line;
            }
            deflater.finish();
            while (!deflater.finished()) bytes.write(buffer, 0, deflater.deflate(buffer));
        }
        return bytes.toByteArray();
    }

    private static byte[] scanline(RgbImage image, int y, int channels) {
        byte[] line = new byte[image.width() * channels];
        for (int x = 0; x < image.width(); x++) {
            int pixel = image.argb()[y * image.width() + x];
            line[x * channels] = (byte) (pixel >> 16);
            line[x * channels + 1] = (byte) (pixel >> 8);
            line[x * channels + 2] = (byte) pixel;
            if (channels == 4) line[x * channels + 3] = (byte) (pixel >>> 24);
        }
        return line;
    }

    /// The line with the filter of the smallest differences, preceded by the filter's number.
    private static byte[] filterLine(byte[] line, byte[] above, int channels) {
        byte[] best = new byte[0];
        long smallest = Long.MAX_VALUE;
        for (int filter = 0; filter <= 4; filter++) {
            byte[] candidate = new byte[line.length + 1];
            candidate[0] = (byte) filter;
            long sum = 0;
            for (int i = 0; i < line.length; i++) {
                int left = i >= channels ? line[i - channels] & 0xFF : 0;
                int corner = i >= channels ? above[i - channels] & 0xFF : 0;
                candidate[i + 1] = (byte) (line[i] - predict(filter, left, above[i] & 0xFF, corner));
                sum += Math.abs(candidate[i + 1]);
            }
            if (sum < smallest) {
                smallest = sum;
                best = candidate;
            }
        }
        return best;
    }

    private static int predict(int filter, int left, int above, int corner) {
        return switch (filter) {
            case 1 -> left;
            case 2 -> above;
            case 3 -> (left + above) / 2;
            case 4 -> paeth(left, above, corner);
            default -> 0;
        };
    }

    private static int paeth(int left, int above, int corner) {
        int estimate = left + above - corner;
        int toLeft = Math.abs(estimate - left);
        int toAbove = Math.abs(estimate - above);
        int toCorner = Math.abs(estimate - corner);
        if (toLeft <= toAbove && toLeft <= toCorner) return left;
        return toAbove <= toCorner ? above : corner;
    }
}
