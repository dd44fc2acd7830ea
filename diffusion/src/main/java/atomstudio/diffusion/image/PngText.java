package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The text chunks of a PNG file by keyword, in file order: tEXt, zTXt and iTXt. An invalid chunk does not affect the
/// others.
/// @param malformed messages about chunks that are malformed or too long after decompression
/// @param damaged messages about chunks whose checksum does not match
public record PngText(Map<String, String> texts, List<String> malformed, List<String> damaged) {
    /// Limit on all texts of a file together.
    private static final int MAX_TEXT_BYTES = PngChunks.MAX_CHUNK_BYTES;
    private static final Set<String> CHUNK_TYPES = Set.of("tEXt", "zTXt", "iTXt");

    public PngText {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
        malformed = List.copyOf(malformed);
        damaged = List.copyOf(damaged);
    }

    /// The valid texts.
    /// @throws Failure.Unreadable when it is not a PNG file
    public static Map<String, String> read(Path file) throws Failure {
        return of(file).texts();
    }

    /// @throws Failure.Unreadable when it is not a PNG file
    public static PngText of(Path file) throws Failure {
        try {
            return texts(file);
        } catch (IOException other) {
            throw new Failure.Unreadable(
                    file + ": expected a valid PNG file, found another or a damaged file (" + other.getMessage() + ").",
                    other);
        }
    }

    static PngText texts(Path file) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        List<String> malformed = new ArrayList<>();
        List<String> damaged = new ArrayList<>();
        int remaining = MAX_TEXT_BYTES;
        for (PngChunks.Chunk chunk : PngChunks.readChunks(file, CHUNK_TYPES)) {
            if (chunk.problem().isPresent()) {
                damaged.add(file + ": a text is skipped: " + chunk.problem().get());
                continue;
            }
            try {
                Entry entry = readEntry(chunk, remaining);
                remaining -= entry.length;
                texts.put(entry.keyword, entry.text);
            } catch (IOException e) {
                malformed.add(e.getMessage());
            }
        }
        return new PngText(texts, malformed, damaged);
    }

    private record Entry(String keyword, String text, int length) {}

    private static Entry readEntry(PngChunks.Chunk chunk, int maxBytes) throws IOException {
        byte[] data = chunk.data();
        int end = PngChunks.indexOfZero(data, 0);
        if (end == data.length)
            throw new IOException("a " + chunk.type() + " chunk has no zero byte after its keyword");
        String keyword = new String(data, 0, end, StandardCharsets.ISO_8859_1);
        int from = switch (chunk.type()) {
            case "tEXt" -> end + 1;
            case "zTXt" -> end + 2;
            default -> PngChunks.indexOfZero(data,
                    Math.min(data.length, PngChunks.indexOfZero(data, Math.min(data.length, end + 3)) + 1)) + 1;
        };
        if (from > data.length) throw new IOException("the text \"" + keyword + "\" is truncated");
        boolean compressed = chunk.type().equals("zTXt") || chunk.type().equals("iTXt") && data[end + 1] == 1;
        byte[] text;
        try {
            text = compressed ? PngChunks.inflate(data, from, maxBytes) : Arrays.copyOfRange(data, from, data.length);
        } catch (IOException damaged) {
            throw new IOException("the text \"" + keyword + "\" cannot be decompressed: " + damaged.getMessage(),
                    damaged);
        }
        if (text.length > maxBytes)
            throw new IOException("the texts together are longer than " + MAX_TEXT_BYTES + " bytes");
        return new Entry(keyword,
                new String(text, chunk.type().equals("iTXt") ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1),
                text.length);
    }
}
