package atomstudio.diffusion.prompt;

import atomstudio.diffusion.prompt.SpecialTokens.Match;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// A single pass over a text that splits it at special tokens, white space and CLIP's pattern, and encodes the pieces.
/// It stops at the first id beyond the limit and records its offset in the original text. No composition and no piece
/// crosses white space, so normalization is done word by word.
final class TokenScanner {
    private static final List<String> CONTRACTIONS = List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");
    private static final List<String> MARKERS = List.of(TokenizerConfig.START_OF_TEXT, TokenizerConfig.END_OF_TEXT);

    private final BytePairEncoder encoder;
    private final SpecialTokens specialTokens;
    private final String text;
    private final int maxIds;
    private final IntStream.Builder ids = IntStream.builder();
    /// Indices of ids that belong to the same token as the id before.
    private final BitSet continuations = new BitSet();
    private int count;
    private OptionalInt overflowStart = OptionalInt.empty();

    /// A word: its range in the original text, and its normalized form.
    private record Word(int start, int end, String normalized) {}

    TokenScanner(BytePairEncoder encoder, SpecialTokens specialTokens, String text, int maxIds) {
        this.encoder = encoder;
        this.specialTokens = specialTokens;
        this.text = text;
        this.maxIds = maxIds;
    }

    void scan() {
        for (int position = 0; position < text.length() && !isFull();) {
            Match match = SpecialTokens.findNext(specialTokens.raw(), text, position, text.length());
            scanWords(position, match.start());
            addGroup(match.ids(), match.start());
            position = match.end();
        }
    }

    int[] ids() {
        return ids.build().toArray();
    }

    /// The ids, grouped so that the ids of one special token stay together.
    List<int[]> idGroups() {
        int[] all = ids();
        List<int[]> groups = new ArrayList<>();
        for (int at = 0; at < all.length;) {
            int end = Math.min(continuations.nextClearBit(at + 1), all.length);
            groups.add(Arrays.copyOfRange(all, at, end));
            at = end;
        }
        return groups;
    }

    /// Offset in the original text of the first id beyond the limit; empty if all fit.
    OptionalInt overflowStart() {
        return overflowStart;
    }

    private boolean isFull() { return overflowStart.isPresent(); }

    private void add(int id, int sourceOffset) {
        if (isFull()) return;
        if (count == maxIds) {
            overflowStart = OptionalInt.of(sourceOffset);
        } else {
            ids.add(id);
            count++;
        }
    }

    private void addGroup(List<Integer> tokenIds, int sourceOffset) {
        if (tokenIds.size() > 1) continuations.set(count + 1, count + tokenIds.size());
        for (int id : tokenIds) add(id, sourceOffset);
    }

    private void scanWords(int from, int to) {
        for (int position = from; position < to && !isFull();) {
            int start = scan(text, position, to, CharacterClass.SPACE);
            int end = wordEnd(start, to);
            if (end > start) scanWord(new Word(start, end, ReferenceUnicode.normalize(text.substring(start, end))));
            position = end;
        }
    }

    private int wordEnd(int from, int to) {
        int at = from;
        while (at < to && CharacterClass.of(text.codePointAt(at)) != CharacterClass.SPACE)
            at += Character.charCount(text.codePointAt(at));
        return Math.min(at, to);
    }

    private void scanWord(Word word) {
        int end = word.normalized.length();
        for (int position = 0; position < end && !isFull();) {
            Match match = SpecialTokens.findNext(specialTokens.normalized(), word.normalized, position, end);
            splitWord(word, position, match.start());
            addGroup(match.ids(), sourceOffset(word, match.start()));
            position = match.end();
        }
    }

    /// Splits word[from, to) by CLIP's pattern: markers, contractions, letters, one digit, anything else. Markers are
    /// split again by the byte-level pattern: `<|`, the name, `|>`.
    private void splitWord(Word word, int from, int to) {
        for (int at = from; at < to && !isFull();) {
            int end = matchEnd(MARKERS, word.normalized, at, to);
            if (end > at) {
                encodePiece(word, at, at + 2);
                encodePiece(word, at + 2, end - 2);
                encodePiece(word, end - 2, end);
            } else {
                end = matchEnd(CONTRACTIONS, word.normalized, at, to);
                if (end == at) end = runEnd(word.normalized, at, to);
                encodePiece(word, at, end);
            }
            at = end;
        }
    }

    /// End of the first candidate that matches at an index; the index itself if none does.
    private static int matchEnd(List<String> candidates, String text, int at, int to) {
        for (String candidate : candidates) {
            if (at + candidate.length() <= to && text.startsWith(candidate, at)) return at + candidate.length();
        }
        return at;
    }

    private static int runEnd(String text, int at, int to) {
        CharacterClass characterClass = CharacterClass.of(text.codePointAt(at));
        return characterClass == CharacterClass.NUMBER ? at + Character.charCount(text.codePointAt(at))
                : scan(text, at, to, characterClass);
    }

    private static int scan(String text, int from, int to, CharacterClass characterClass) {
        int position = from;
        while (position < to && CharacterClass.of(text.codePointAt(position)) == characterClass)
            position += Character.charCount(text.codePointAt(position));
        return Math.min(position, to);
    }

    private void encodePiece(Word word, int from, int to) {
        String piece = word.normalized.substring(from, to);
        BytePairEncoder.Encoding encoding = encoder.encode(piece);
        int at = 0;
        int encodedBytes = 0;
        int coveredBytes = 0;
        for (int index = 0; index < encoding.ids().length && !isFull(); index++) {
            while (at < piece.length() && coveredBytes + utf8Length(piece.codePointAt(at)) <= encodedBytes) {
                coveredBytes += utf8Length(piece.codePointAt(at));
                at += Character.charCount(piece.codePointAt(at));
            }
            add(encoding.ids()[index], count < maxIds ? word.start : sourceOffset(word, from + at));
            encodedBytes += encoding.byteLengths()[index];
        }
    }

    /// Bytes of a code point; an unpaired surrogate is encoded as one question mark.
    private static int utf8Length(int codePoint) {
        if (codePoint < 0x80 || codePoint >= 0xD800 && codePoint < 0xE000) return 1;
        return codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    }

    /// Maps an offset in a normalized word to the original text: the end of the longest prefix of the word whose
    /// normalized form is not longer than the offset.
    private int sourceOffset(Word word, int offset) {
        if (word.normalized.length() == word.end - word.start) return word.start + offset;
        int low = word.start;
        int high = word.end;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (ReferenceUnicode.normalize(text.substring(word.start, middle)).length() <= offset) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private enum CharacterClass {
        SPACE, LETTER, NUMBER, OTHER;

        static CharacterClass of(int codePoint) {
            if (ReferenceUnicode.isLetter(codePoint)) return LETTER;
            if (ReferenceUnicode.isNumber(codePoint)) return NUMBER;
            return ReferenceUnicode.isSpace(codePoint) ? SPACE : OTHER;
        }
    }
}
