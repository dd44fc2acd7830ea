package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// A small file embedded in a PNG as a private `stAd` chunk: name in UTF-8, a zero byte, content. The chunk is
/// ancillary and safe to copy, so other programs ignore it and may keep it when they edit the image.
/// Source: W3C, Portable Network Graphics (Third Edition), 5.4 (chunk naming).
public record PngAttachment(String name, byte[] content) {
    static final String CHUNK_TYPE = "stAd";

    public PngAttachment {
        if (name.indexOf('\0') >= 0) throw new IllegalArgumentException("name: expected no zero character, found one");
    }

    byte[] toChunk() {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.writeBytes(name.getBytes(StandardCharsets.UTF_8));
        data.write(0);
        data.writeBytes(content);
        return PngChunks.encodeChunk(CHUNK_TYPE, data.toByteArray());
    }

    /// The attachments of a file, in file order.
    /// @throws Failure.Unreadable when it is not a PNG file, or the checksum of a chunk does not match
    public static List<PngAttachment> read(Path file) throws Failure {
        try {
            List<PngAttachment> found = new ArrayList<>();
            for (PngChunks.Chunk chunk : PngChunks.readChunks(file, Set.of(CHUNK_TYPE))) {
                if (chunk.problem().isPresent()) throw new IOException(chunk.problem().get());
                byte[] data = chunk.data();
                int end = PngChunks.indexOfZero(data, 0);
                if (end == data.length) throw new IOException("its " + CHUNK_TYPE + " chunk has no name");
                found.add(new PngAttachment(new String(data, 0, end, StandardCharsets.UTF_8),
                        Arrays.copyOfRange(data, end + 1, data.length)));
            }
            return found;
        } catch (IOException damaged) {
            throw new Failure.Unreadable(
                    file + ": expected a valid PNG file, found another or a damaged one (" + damaged.getMessage()
                            + ").",
                    damaged);
        }
    }
}
