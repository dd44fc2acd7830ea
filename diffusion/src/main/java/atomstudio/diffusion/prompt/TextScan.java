package atomstudio.diffusion.prompt;

import atomstudio.diffusion.prompt.SpecialTokens.Found;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// One pass over a text: special tokens, words between white space, pieces of words, byte pairs. It stops at the first id that
/// is one too many and knows where in the text as written that id began. White space bounds everything (no composition and
/// no piece reaches across it), so that a word at a time is normalized.
final class TextScan {
    private static final List<String> CONTRACTIONS = List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");
    private static final List<String> MARKS = List.of(TokenizerSettings.START, TokenizerSettings.STOP);

    private final BytePairs pairs;
    private final SpecialTokens specials;
    private final String text;
    private final int most;
    private final IntStream.Builder ids = IntStream.builder();
    /// Which ids belong with the one before.
    private final BitSet joined = new BitSet();
    private int count;
    private OptionalInt cut = OptionalInt.empty();

    /// A word of the text as written, and what it is after normalization.
    private record Word(int start, int end, String normalized) {}

    TextScan(BytePairs pairs, SpecialTokens specials, String text, int most) {
        this.pairs = pairs;
        this.specials = specials;
        this.text = text;
        this.most = most;
    }

    void run() {
        for (int at = 0; at < text.length() && !full(); ) {
            Found special = SpecialTokens.next(specials.raw(), text, at, text.length());
            words(at, special.start());
            together(special.ids(), special.start());
            at = special.end();
        }
    }

    int[] ids() {
        return ids.build().toArray();
    }

    /// The ids, those of one special token together.
    List<int[]> pieces() {
        int[] all = ids();
        List<int[]> pieces = new ArrayList<>();
        for (int at = 0; at < all.length; ) {
            int end = Math.min(joined.nextClearBit(at + 1), all.length);
            pieces.add(Arrays.copyOfRange(all, at, end));
            at = end;
        }
        return pieces;
    }

    /// Where in the text the first id began that there was no room for.
    OptionalInt cut() {
        return cut;
    }

    private boolean full() {
        return cut.isPresent();
    }

    private void add(int id, int source) {
        if (full()) return;
        if (count == most) {
            cut = OptionalInt.of(source);
        } else {
            ids.add(id);
            count++;
        }
    }

    private void together(List<Integer> special, int source) {
        if (special.size() > 1) joined.set(count + 1, count + special.size());
        for (int id : special) add(id, source);
    }

    private void words(int from, int to) {
        for (int at = from; at < to && !full(); ) {
            int start = run(text, at, to, Kind.SPACE);
            int end = runOfOthers(start, to);
            if (end > start) word(new Word(start, end, ReferenceUnicode.normalize(text.substring(start, end))));
            at = end;
        }
    }

    private int runOfOthers(int from, int to) {
        int at = from;
        while (at < to && Kind.of(text.codePointAt(at)) != Kind.SPACE) at += Character.charCount(text.codePointAt(at));
        return Math.min(at, to);
    }

    private void word(Word word) {
        int end = word.normalized.length();
        for (int at = 0; at < end && !full(); ) {
            Found special = SpecialTokens.next(specials.normalized(), word.normalized, at, end);
            pieces(word, at, special.start());
            together(special.ids(), source(word, special.start()));
            at = special.end();
        }
    }

    /// Cuts word[from, to) as CLIP's pattern does: marks, contractions, letters, one number, anything else. Marks are cut once
    /// more, by the pattern of the byte level behind it: `<|`, the name, `|>`.
    private void pieces(Word word, int from, int to) {
        for (int at = from; at < to && !full(); ) {
            int end = starting(MARKS, word.normalized, at, to);
            if (end > at) {
                piece(word, at, at + 2);
                piece(word, at + 2, end - 2);
                piece(word, end - 2, end);
            } else {
                end = starting(CONTRACTIONS, word.normalized, at, to);
                if (end == at) end = plain(word.normalized, at, to);
                piece(word, at, end);
            }
            at = end;
        }
    }

    /// Where the first of these that stands at a place ends; the place itself if none does.
    private static int starting(List<String> candidates, String text, int at, int to) {
        for (String candidate : candidates) {
            if (at + candidate.length() <= to && text.startsWith(candidate, at)) return at + candidate.length();
        }
        return at;
    }

    private static int plain(String text, int at, int to) {
        Kind kind = Kind.of(text.codePointAt(at));
        return kind == Kind.NUMBER ? at + Character.charCount(text.codePointAt(at)) : run(text, at, to, kind);
    }

    private static int run(String text, int from, int to, Kind kind) {
        int at = from;
        while (at < to && Kind.of(text.codePointAt(at)) == kind) at += Character.charCount(text.codePointAt(at));
        return Math.min(at, to);
    }

    private void piece(Word word, int from, int to) {
        String piece = word.normalized.substring(from, to);
        BytePairs.Parts parts = pairs.split(piece);
        int at = 0;
        int bytes = 0;
        int reached = 0;
        for (int part = 0; part < parts.ids().length && !full(); part++) {
            while (at < piece.length() && reached + utf8(piece.codePointAt(at)) <= bytes) {
                reached += utf8(piece.codePointAt(at));
                at += Character.charCount(piece.codePointAt(at));
            }
            add(parts.ids()[part], count < most ? word.start : source(word, from + at));
            bytes += parts.bytes()[part];
        }
    }

    /// Bytes of a code point; a surrogate without its other half is written as one question mark.
    private static int utf8(int codePoint) {
        if (codePoint < 0x80 || codePoint >= 0xD800 && codePoint < 0xE000) return 1;
        return codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    }

    /// Where in the text as written a place of a normalized word comes from: past the longest start of the word that is
    /// no longer than the place when normalized by itself.
    private int source(Word word, int place) {
        if (word.normalized.length() == word.end - word.start) return word.start + place;
        int low = word.start;
        int high = word.end;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (ReferenceUnicode.normalize(text.substring(word.start, middle)).length() <= place) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private enum Kind {
        SPACE, LETTER, NUMBER, OTHER;

        static Kind of(int codePoint) {
            if (ReferenceUnicode.isLetter(codePoint)) return LETTER;
            if (ReferenceUnicode.isNumber(codePoint)) return NUMBER;
            return ReferenceUnicode.isSpace(codePoint) ? SPACE : OTHER;
        }
    }
}
