package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// CLIP's tokenizer: a prompt becomes ids of byte pairs between a start and a stop id. Immutable, any thread; time grows with
/// the text's length, and cutting to the limit reads no further than it has to.
/// Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 2.4.
public final class Tokenizer {
    private final BytePairs pairs;
    private final SpecialTokens specials;
    private final Frame frame;

    /// What stands around a prompt's own ids: start before, stop behind, padding up to the limit.
    record Frame(int start, int stop, int padding, int limit) {}

    Tokenizer(BytePairs pairs, SpecialTokens specials, Frame frame) {
        this.pairs = pairs;
        this.specials = specials;
        this.frame = frame;
    }

    /// @param folder a model's `tokenizer` folder (vocab.json, merges.txt and settings), or one with CLIP's `.txt.gz` of merges
    public static Tokenizer open(Path folder) throws Failure {
        return TokenizerFiles.open(folder);
    }

    /// How many ids the text encoder takes, start and stop included: 77 in CLIP.
    public int limit() {
        return frame.limit;
    }

    /// The same tokenizer for an encoder of another length.
    public Tokenizer withLimit(int limit) {
        if (limit < 2) throw new IllegalArgumentException("limit: expected at least 2, found " + limit);
        return new Tokenizer(pairs, specials, new Frame(frame.start, frame.stop, frame.padding, limit));
    }

    /// The same tokenizer for a text encoder whose table has more rows: this word stands for them, in any case and beside any punctuation,
    /// but not within another word.
    /// @param word without white space
    public Tokenizer with(String word, List<Integer> ids) {
        if (!isWord(word)) throw new IllegalArgumentException("word: expected one word without white space, found \"" + word + "\"");
        if (ids.isEmpty()) throw new IllegalArgumentException("ids of \"" + word + "\": expected at least one, found none");
        return new Tokenizer(pairs, specials.plus(new SpecialTokens.Special(word, ids, SpecialTokens.Matched.WORD)), frame);
    }

    /// Whether a text is one word: something, and no white space in it.
    public static boolean isWord(String text) {
        return !text.isEmpty() && text.codePoints().noneMatch(ReferenceUnicode::isSpace);
    }

    /// Whether the tokenizer reads two words alike.
    public static boolean alike(String a, String b) {
        return ReferenceUnicode.normalize(a).equals(ReferenceUnicode.normalize(b));
    }

    /// All ids of a text with start and stop, however many there are.
    public int[] encode(String text) {
        int[] own = scan(text, Integer.MAX_VALUE).ids();
        int[] ids = new int[own.length + 2];
        ids[0] = frame.start;
        System.arraycopy(own, 0, ids, 1, own.length);
        ids[own.length + 1] = frame.stop;
        return ids;
    }

    /// Exactly [#limit] ids: start, as many of the text's as fit, stop, padding.
    public Tokens tokens(String text) {
        TextScan scan = scan(text, frame.limit - 2);
        int[] own = scan.ids();
        int[] ids = new int[frame.limit];
        Arrays.fill(ids, frame.padding);
        ids[0] = frame.start;
        System.arraycopy(own, 0, ids, 1, own.length);
        ids[own.length + 1] = frame.stop;
        return new Tokens(ids, scan.cut().isPresent() ? Optional.of(text.substring(scan.cut().getAsInt()).strip()) : Optional.empty());
    }

    private TextScan scan(String text, int most) {
        TextScan scan = new TextScan(pairs, specials, text, most);
        scan.run();
        return scan;
    }
}
