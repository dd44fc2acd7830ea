package atomstudio.diffusion.picture;

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

/// The texts a PNG file carries, by keyword, Latin-1 and UTF-8, compressed or not, in the file's order.
/// One that cannot be read does not lose the others.
/// @param leftOut those that are malformed, or become too long when they are inflated
/// @param damaged those whose checksum does not fit, so that something happened to the file
public record PngText(Map<String, String> texts, List<String> leftOut, List<String> damaged) {
    /// Bytes of all texts of a file together.
    private static final int MOST = PngChunks.LONGEST;
    private static final Set<String> TYPES = Set.of("tEXt", "zTXt", "iTXt");

    public PngText {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
        leftOut = List.copyOf(leftOut);
        damaged = List.copyOf(damaged);
    }

    /// The texts alone.
    /// @throws Failure.Unreadable when it is no PNG file
    public static Map<String, String> read(Path file) throws Failure {
        return of(file).texts();
    }

    /// @throws Failure.Unreadable when it is no PNG file
    public static PngText of(Path file) throws Failure {
        Map<String, String> texts = new LinkedHashMap<>();
        List<String> leftOut = new ArrayList<>();
        List<String> damaged = new ArrayList<>();
        try {
            int left = MOST;
            for (PngChunks.Chunk chunk : PngChunks.chunks(file, TYPES)) {
                if (chunk.problem().isPresent()) {
                    damaged.add(file + ": a text is left out: " + chunk.problem().get());
                    continue;
                }
                try {
                    Entry entry = entry(chunk, left);
                    left -= entry.length;
                    texts.put(entry.keyword, entry.text);
                } catch (IOException malformed) {
                    leftOut.add(malformed.getMessage());
                }
            }
        } catch (IOException other) {
            throw new Failure.Unreadable(file + ": expected a whole PNG file, found something else (" + other.getMessage() + ").", other);
        }
        return new PngText(texts, leftOut, damaged);
    }

    private record Entry(String keyword, String text, int length) {}

    private static Entry entry(PngChunks.Chunk chunk, int most) throws IOException {
        byte[] data = chunk.data();
        int end = PngChunks.zero(data, 0);
        if (end == data.length) throw new IOException("a chunk " + chunk.type() + " has no zero byte behind its keyword");
        String keyword = new String(data, 0, end, StandardCharsets.ISO_8859_1);
        int from = switch (chunk.type()) {
            case "tEXt" -> end + 1;
            case "zTXt" -> end + 2;
            default -> PngChunks.zero(data, Math.min(data.length, PngChunks.zero(data, Math.min(data.length, end + 3)) + 1)) + 1;
        };
        if (from > data.length) throw new IOException("the text \"" + keyword + "\" is cut");
        boolean compressed = chunk.type().equals("zTXt") || chunk.type().equals("iTXt") && data[end + 1] == 1;
        byte[] text;
        try {
            text = compressed ? PngChunks.inflate(data, from, most) : Arrays.copyOfRange(data, from, data.length);
        } catch (IOException damaged) {
            throw new IOException("the text \"" + keyword + "\" cannot be inflated: " + damaged.getMessage(), damaged);
        }
        if (text.length > most) throw new IOException("the texts together are longer than " + MOST + " bytes");
        return new Entry(keyword, new String(text, chunk.type().equals("iTXt") ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1), text.length);
    }
}
