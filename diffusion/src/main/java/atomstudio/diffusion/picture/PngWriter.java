package atomstudio.diffusion.picture;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;

/// Writes PNG files: 8 bits a channel, alpha only where something is transparent, texts before the pixels. Equal pictures give equal bytes.
/// Source: W3C, Portable Network Graphics (Third Edition); filters chosen by 12.7's sum of absolute differences.
public final class PngWriter {
    private PngWriter() {}

    /// Writes beside and moves, so that the file is the old one or the whole new one. Replaces what is there; folders are made.
    /// @param text keyword (1 to 79 Latin-1 letters) to text; Latin-1 texts become tEXt chunks, others iTXt
    /// @throws Failure.Unwritable if the disk is full or the place cannot be written
    public static void write(Path file, Picture picture, Map<String, String> text) throws Failure {
        byte[] content = encode(picture, text, List.of());
        AtomicFile.write(file, out -> out.write(content));
    }

    /// The same with how the picture was made, and what it was made with.
    public static void write(Path file, Picture picture, Making making) throws Failure {
        byte[] content = encode(picture, making.text().toPng(), making.adapters());
        AtomicFile.write(file, out -> out.write(content));
    }

    /// The bytes of the file.
    static byte[] encode(Picture picture, Map<String, String> text, List<PngAttachment> attachments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int channels = picture.transparent() ? 4 : 3;
        out.writeBytes(PngChunks.SIGNATURE);
        out.writeBytes(PngChunks.chunk("IHDR", ByteBuffer.allocate(13).putInt(picture.width()).putInt(picture.height())
            .put((byte) 8).put((byte) (channels == 4 ? 6 : 2)).array()));
        for (Map.Entry<String, String> entry : text.entrySet()) out.writeBytes(text(entry.getKey(), entry.getValue()));
        for (PngAttachment attachment : attachments) out.writeBytes(attachment.chunk());
        out.writeBytes(PngChunks.chunk("IDAT", deflated(picture, channels)));
        out.writeBytes(PngChunks.chunk("IEND", new byte[0]));
        return out.toByteArray();
    }

    private static byte[] text(String keyword, String text) {
        CharsetEncoder latin1 = StandardCharsets.ISO_8859_1.newEncoder();
        if (keyword.isBlank() || keyword.length() > 79 || keyword.indexOf('\0') >= 0 || !latin1.canEncode(keyword)) {
            throw new IllegalArgumentException("PNG keyword: expected 1 to 79 Latin-1 letters, found '" + keyword + "'");
        }
        String whole = text.replace("\0", "");
        return latin1.canEncode(whole)
            ? PngChunks.chunk("tEXt", (keyword + "\0" + whole).getBytes(StandardCharsets.ISO_8859_1))
            : PngChunks.chunk("iTXt", (keyword + "\0\0\0\0\0" + whole).getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] deflated(Picture picture, int channels) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION)) {
            byte[] part = new byte[1 << 16];
            byte[] above = new byte[picture.width() * channels];
            for (int y = 0; y < picture.height(); y++) {
                byte[] line = line(picture, y, channels);
                deflater.setInput(filtered(line, above, channels));
                while (!deflater.needsInput()) bytes.write(part, 0, deflater.deflate(part));
                above = line;
            }
            deflater.finish();
            while (!deflater.finished()) bytes.write(part, 0, deflater.deflate(part));
        }
        return bytes.toByteArray();
    }

    private static byte[] line(Picture picture, int y, int channels) {
        byte[] line = new byte[picture.width() * channels];
        for (int x = 0; x < picture.width(); x++) {
            int pixel = picture.argb()[y * picture.width() + x];
            line[x * channels] = (byte) (pixel >> 16);
            line[x * channels + 1] = (byte) (pixel >> 8);
            line[x * channels + 2] = (byte) pixel;
            if (channels == 4) line[x * channels + 3] = (byte) (pixel >>> 24);
        }
        return line;
    }

    /// The filter whose differences are smallest, its number in front.
    private static byte[] filtered(byte[] line, byte[] above, int channels) {
        byte[] best = new byte[0];
        long smallest = Long.MAX_VALUE;
        for (int filter = 0; filter <= 4; filter++) {
            byte[] candidate = new byte[line.length + 1];
            candidate[0] = (byte) filter;
            long sum = 0;
            for (int i = 0; i < line.length; i++) {
                int left = i >= channels ? line[i - channels] & 0xFF : 0;
                int corner = i >= channels ? above[i - channels] & 0xFF : 0;
                candidate[i + 1] = (byte) (line[i] - predicted(filter, left, above[i] & 0xFF, corner));
                sum += Math.abs(candidate[i + 1]);
            }
            if (sum < smallest) {
                smallest = sum;
                best = candidate;
            }
        }
        return best;
    }

    private static int predicted(int filter, int left, int above, int corner) {
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
