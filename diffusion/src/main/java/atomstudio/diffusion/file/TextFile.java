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

/// Text files that people write: captions and lists of prompts. UTF-8, or what a byte order mark at the start says;
/// the mark itself is no part of the text. What is no text is refused, never read as letters.
public final class TextFile {
    private static final int MAX_BYTES = 4 << 20;
    private static final char BOM = '\uFEFF';
    private static final List<ByteOrderMark> BYTE_ORDER_MARKS = List.of(
            new ByteOrderMark(StandardCharsets.UTF_8, 0xEF, 0xBB, 0xBF),
            new ByteOrderMark(Charset.forName("UTF-32LE"), 0xFF, 0xFE, 0, 0),
            new ByteOrderMark(Charset.forName("UTF-32BE"), 0, 0, 0xFE, 0xFF),
            new ByteOrderMark(StandardCharsets.UTF_16LE, 0xFF, 0xFE),
            new ByteOrderMark(StandardCharsets.UTF_16BE, 0xFE, 0xFF));

    /// An encoding and the byte order mark that tells it.
    private record ByteOrderMark(Charset charset, int... prefix) {
        boolean matches(byte[] bytes) {
            if (bytes.length < prefix.length) return false;
            for (int i = 0; i < prefix.length; i++) if ((bytes[i] & 0xFF) != prefix[i]) return false;
            return true;
        }
    }

    private TextFile() {}

    /// The lines that say something, without white space around them.
    /// @throws Failure.Unreadable when it cannot be read, or is no text; the message names the file
    public static List<String> lines(Path file) throws Failure {
        return read(file).lines().map(TextFile::strip).filter(TextFile::isVisible).toList();
    }

    private static String read(Path file) throws Failure {
        byte[] bytes;
        // Read to its bound, since the size of a pipe is not known.
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES)
                throw new Failure.Unreadable(
                        file + ": expected a text of at most " + (MAX_BYTES >> 20) + " MB, found more");
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
            throw new Failure.Unreadable(file + ": expected a text in UTF-8, found bytes that are none in "
                    + bom.charset + "; save it again as UTF-8 text", e);
        }
        if (text.chars().anyMatch(TextFile::isControl)) {
            throw new Failure.Unreadable(file
                    + ": expected a text in UTF-8, found zero bytes or control codes, as files that are no text have, or UTF-16 without a byte order mark; save it again as UTF-8 text");
        }
        return text;
    }

    private static boolean isControl(int c) {
        return Character.isISOControl(c) && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x0B && c != 0x85;
    }

    /// Joined files have a mark in the middle.
    private static String strip(String line) {
        return line.replace(String.valueOf(BOM), "").strip();
    }

    /// Whether there is anything to see: spaces of any kind, joiners, marks and fillers without a letter say nothing.
    private static boolean isVisible(String line) {
        return line.codePoints()
                .anyMatch(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c)
                        && Character.getType(c) != Character.FORMAT && !isBlankGlyph(c));
    }

    /// Letters and marks without a shape: Hangul fillers, the blank Braille pattern, variation selectors, the
    /// grapheme joiner.
    private static boolean isBlankGlyph(int c) {
        return c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0 || c == 0x2800 || c == 0x034F || c == 0x17B4
                || c == 0x17B5 || c >= 0xFE00 && c <= 0xFE0F || c >= 0xE0100 && c <= 0xE01EF;
    }
}
