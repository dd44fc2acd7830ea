package atomstudio.diffusion.file;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Reads captions and prompt lists: UTF-8, or the encoding of a byte order mark at the start, which is not part of the
/// text. Binary content is rejected.
public final class TextFile {
    private static final int MAX_BYTES = 4 << 20;
    private static final char BOM = '\uFEFF';
    private static final List<ByteOrderMark> BYTE_ORDER_MARKS = List.of(
            new ByteOrderMark(StandardCharsets.UTF_8, 0xEF, 0xBB, 0xBF),
            new ByteOrderMark(Charset.forName("UTF-32LE"), 0xFF, 0xFE, 0, 0),
            new ByteOrderMark(Charset.forName("UTF-32BE"), 0, 0, 0xFE, 0xFF),
            new ByteOrderMark(StandardCharsets.UTF_16LE, 0xFF, 0xFE),
            new ByteOrderMark(StandardCharsets.UTF_16BE, 0xFE, 0xFF));

    /// An encoding and its byte order mark.
    private record ByteOrderMark(Charset charset, int... prefix) {
        boolean matches(byte[] bytes) {
            if (bytes.length < prefix.length) return false;
            for (int i = 0; i < prefix.length; i++) if ((bytes[i] & 0xFF) != prefix[i]) return false;
            return true;
        }
    }

    private TextFile() {}

    /// The non-blank lines, stripped.
    /// @throws Failure.Unreadable if the file cannot be read or is not text; the message names the file
    public static List<String> lines(Path file) throws Failure {
        return read(file).lines().map(TextFile::stripLine).filter(TextFile::isVisible).toList();
    }

    private static String read(Path file) throws Failure {
        byte[] bytes;
        // Read up to the limit, since the size of a pipe is unknown.
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES)
                throw new Failure.Unreadable(
                        file + ": expected text of at most " + (MAX_BYTES >> 20) + " MB, found more");
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        ByteOrderMark bom = BYTE_ORDER_MARKS.stream()
                .filter(mark -> mark.matches(bytes))
                .findFirst()
                .orElse(new ByteOrderMark(StandardCharsets.UTF_8));
        String text;
        try {
            text = bom.charset.newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes, bom.prefix.length, bytes.length - bom.prefix.length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Failure.Unreadable(file + ": expected text in UTF-8, found bytes that are not valid "
                    + bom.charset + "; save it again as UTF-8 text", e);
        }
        if (text.chars().anyMatch(TextFile::isControl)) {
            throw new Failure.Unreadable(file
                    + ": expected text in UTF-8, found zero bytes or control codes, as in binary files "
                    + "or UTF-16 without a byte order mark; save it again as UTF-8 text");
        }
        return text;
    }

    private static boolean isControl(int c) {
        return Character.isISOControl(c) && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x0B && c != 0x85;
    }

    /// Strips white space and byte order marks, which concatenated files have in the middle.
    private static String stripLine(String line) {
        return line.replace(String.valueOf(BOM), "").strip();
    }

    /// Whether a line has a visible character: not only spaces, joiners, marks and fillers.
    private static boolean isVisible(String line) {
        return line.codePoints()
                .anyMatch(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c)
                        && Character.getType(c) != Character.FORMAT && !isBlankGlyph(c));
    }

    /// Characters without a visible glyph: Hangul fillers, the blank Braille pattern, variation selectors, the grapheme
    /// joiner.
    private static boolean isBlankGlyph(int c) {
        return c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0 || c == 0x2800 || c == 0x034F || c == 0x17B4
                || c == 0x17B5 || c >= 0xFE00 && c <= 0xFE0F || c >= 0xE0100 && c <= 0xE01EF;
    }
}
