package atomstudio.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.Deflater;

/// Builds small PNG files chunk by chunk.
final class PngBytes {
    private final List<byte[]> chunks = new ArrayList<>();

    private PngBytes() {}

    /// An 8-bit grey image with these levels in every row.
    static PngBytes grey(int height, int... levels) {
        PngBytes png = new PngBytes();
        png.chunks.add(header(levels.length, height, 0));
        ByteArrayOutputStream rows = new ByteArrayOutputStream();
        for (int y = 0; y < height; y++) {
            rows.write(0);
            for (int level : levels) rows.write(level);
        }
        return png.with("IDAT", deflated(rows.toByteArray()));
    }

    /// An IHDR chunk of 8 bits per channel.
    /// @param colourType 0 for grey, 2 for RGB
    static byte[] header(int width, int height, int colourType) {
        ByteBuffer data = ByteBuffer.allocate(13).putInt(width).putInt(height);
        return PngChunks.encodeChunk("IHDR", data.put((byte) 8).put((byte) colourType).array());
    }

    /// Adds a chunk; the pixels stay last.
    PngBytes with(String type, byte[] data) {
        byte[] chunk = PngChunks.encodeChunk(type, data);
        if (type.equals("IDAT")) chunks.add(chunk);
        else chunks.add(chunks.size() - 1, chunk);
        return this;
    }

    PngBytes text(String keyword, String text) {
        return with("tEXt", (keyword + "\0" + text).getBytes(StandardCharsets.ISO_8859_1));
    }

    /// Adds an iCCP chunk.
    PngBytes profile(byte[] profile) {
        byte[] deflated = deflated(profile);
        return with("iCCP",
                ByteBuffer.allocate(6 + deflated.length)
                        .put("test\0\0".getBytes(StandardCharsets.ISO_8859_1))
                        .put(deflated)
                        .array());
    }

    byte[] bytes() {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(withoutEnd());
        file.writeBytes(PngChunks.encodeChunk("IEND", new byte[0]));
        return file.toByteArray();
    }

    byte[] withoutEnd() {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(PngChunks.SIGNATURE);
        chunks.forEach(file::writeBytes);
        return file.toByteArray();
    }

    static byte[] deflated(byte[] data) {
        try (Deflater deflater = new Deflater()) {
            deflater.setInput(data);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] part = new byte[8192];
            while (!deflater.finished()) out.write(part, 0, deflater.deflate(part));
            return out.toByteArray();
        }
    }
}
