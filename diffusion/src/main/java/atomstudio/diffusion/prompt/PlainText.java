package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Text files that people write: captions and lists of prompts. UTF-8, or what a byte order mark at the start says; the mark itself is no
/// part of the text. What is no text is refused, never read as letters.
public final class PlainText {
    private static final long MOST_BYTES = 4 << 20;
    private static final char MARK = '\uFEFF';
    private static final List<Marked> MARKS = List.of(new Marked(StandardCharsets.UTF_8, 0xEF, 0xBB, 0xBF), new Marked(Charset.forName("UTF-32LE"), 0xFF, 0xFE, 0, 0),
        new Marked(Charset.forName("UTF-32BE"), 0, 0, 0xFE, 0xFF), new Marked(StandardCharsets.UTF_16LE, 0xFF, 0xFE), new Marked(StandardCharsets.UTF_16BE, 0xFE, 0xFF));

    /// An encoding and the byte order mark that tells it.
    private record Marked(Charset charset, int... mark) {
        boolean begins(byte[] bytes) {
            if (bytes.length < mark.length) return false;
            for (int i = 0; i < mark.length; i++) if ((bytes[i] & 0xFF) != mark[i]) return false;
            return true;
        }
    }

    private PlainText() {}

    /// The lines that say something, without white space around them.
    /// @throws Failure.Unreadable when it cannot be read, or is no text; the message names the file
    public static List<String> lines(Path file) throws Failure {
        return text(file).lines().map(PlainText::stripped).filter(PlainText::visible).toList();
    }

    private static String text(Path file) throws Failure {
        byte[] bytes;
        try {
            long size = Files.size(file);
            if (size > MOST_BYTES) throw new Failure.Unreadable(file + ": expected a text of at most " + (MOST_BYTES >> 20) + " MB, found " + (size >> 20) + " MB");
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        Marked marked = MARKS.stream().filter(each -> each.begins(bytes)).findFirst().orElse(new Marked(StandardCharsets.UTF_8));
        String text;
        try {
            text = marked.charset.newDecoder().onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(ByteBuffer.wrap(bytes, marked.mark.length, bytes.length - marked.mark.length)).toString();
        } catch (CharacterCodingException e) {
            throw new Failure.Unreadable(file + ": expected a text in UTF-8, found bytes that are none in " + marked.charset + "; save it again as UTF-8 text", e);
        }
        if (text.chars().anyMatch(PlainText::control)) {
            throw new Failure.Unreadable(file + ": expected a text in UTF-8, found zero bytes or control codes, as files that are no text have, or UTF-16 without a byte order mark; save it again as UTF-8 text");
        }
        return text;
    }

    private static boolean control(int c) {
        return Character.isISOControl(c) && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x0B && c != 0x85;
    }

    /// Joined files have a mark in the middle.
    private static String stripped(String line) {
        return line.replace(String.valueOf(MARK), "").strip();
    }

    /// Whether there is anything to see: spaces of any kind, joiners, marks and fillers without a letter say nothing.
    private static boolean visible(String line) {
        return line.codePoints().anyMatch(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c) && Character.getType(c) != Character.FORMAT && !blank(c));
    }

    /// Letters and marks without a shape: Hangul fillers, the blank Braille pattern, variation selectors, the grapheme joiner.
    private static boolean blank(int c) {
        return c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0 || c == 0x2800 || c == 0x034F || c == 0x17B4 || c == 0x17B5 || c >= 0xFE00 && c <= 0xFE0F || c >= 0xE0100 && c <= 0xE01EF;
    }
}
