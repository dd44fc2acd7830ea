package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
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
    private final Phrases phrases;
    private final Frame frame;

    /// What stands around a prompt's own ids: start before, stop behind, padding up to the limit.
    record Frame(int start, int stop, int padding, int limit) {}

    Tokenizer(BytePairs pairs, SpecialTokens specials, Frame frame) {
        this(pairs, specials, Phrases.none(), frame);
    }

    private Tokenizer(BytePairs pairs, SpecialTokens specials, Phrases phrases, Frame frame) {
        this.pairs = pairs;
        this.specials = specials;
        this.phrases = phrases;
        this.frame = frame;
    }

    /// @param folder a model's `tokenizer` folder (vocab.json and merges.txt, or tokenizer.json, and settings), or one with CLIP's `.txt.gz` of merges
    public static Tokenizer open(Path folder) throws Failure {
        return TokenizerFiles.open(folder);
    }

    /// Whether a folder has a vocabulary beside its merges, of which a text encoder's table may hold more rows than it has tokens.
    public static boolean hasVocabulary(Path folder) {
        boolean both = Files.isRegularFile(folder.resolve(TokenizerFiles.VOCABULARY)) && Files.isRegularFile(folder.resolve(TokenizerFiles.MERGES));
        return both || Files.isRegularFile(folder.resolve(TokenizerFiles.WHOLE));
    }

    /// How many ids the text encoder takes, start and stop included: 77 in CLIP.
    public int limit() {
        return frame.limit;
    }

    /// Ids of the vocabulary: how many rows the text encoder's table has at least.
    public int size() {
        return pairs.size();
    }

    /// The same tokenizer for an encoder of another length.
    public Tokenizer withLimit(int limit) {
        if (limit < 2) throw new IllegalArgumentException("limit: expected at least 2, found " + limit);
        return new Tokenizer(pairs, specials, phrases, new Frame(frame.start, frame.stop, frame.padding, limit));
    }

    /// The same tokenizer for a text encoder whose table has more rows: this word stands for them, in any case and beside any punctuation,
    /// but not within another word.
    /// @param word without white space
    public Tokenizer with(String word, List<Integer> ids) {
        if (!isWord(word)) throw new IllegalArgumentException("word: expected one word without white space, found \"" + word + "\"");
        if (ids.isEmpty()) throw new IllegalArgumentException("ids of \"" + word + "\": expected at least one, found none");
        return new Tokenizer(pairs, specials.plus(new SpecialTokens.Special(word, ids, SpecialTokens.Matched.WORD)), phrases, frame);
    }

    /// The same for a name of one word or several, as files of textual inversion have: it stands for these ids wherever a prompt is read
    /// to the same ids as the name.
    /// @throws IllegalArgumentException for a name without a letter, number or sign
    public Tokenizer withName(String name, List<Integer> ids) {
        int[] read = scan(name, Integer.MAX_VALUE).ids();
        if (read.length == 0) throw new IllegalArgumentException("name: expected something to read, found \"" + name + "\"");
        if (ids.isEmpty()) throw new IllegalArgumentException("ids of \"" + name + "\": expected at least one, found none");
        return new Tokenizer(pairs, specials, phrases.plus(read, ids), frame);
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
        int[] own = pieces(text).stream().flatMapToInt(Arrays::stream).toArray();
        int[] ids = new int[own.length + 2];
        ids[0] = frame.start;
        System.arraycopy(own, 0, ids, 1, own.length);
        ids[own.length + 1] = frame.stop;
        return ids;
    }

    /// Exactly [#limit] ids: start, as many of the text's as fit, stop, padding.
    public Tokens tokens(String text) {
        TextScan scan = scan(text, frame.limit - 2);
        return new Tokens(framed(scan.ids()), scan.cut().isPresent() ? Optional.of(text.substring(scan.cut().getAsInt()).strip()) : Optional.empty());
    }

    /// A prompt as people write it, with weights, BREAK and of any length; see [PromptLanguage].
    /// @throws Failure.Incompatible for a weight that is no number, or a word of more rows than a chunk has room for
    public List<Chunk> chunks(String prompt) throws Failure {
        return new Chunks(this).of(prompt);
    }

    /// A caption of any length in chunks as a prompt's, word for word: brackets are letters, and nothing has a weight.
    /// @return at least one chunk of exactly [#limit] ids
    /// @throws Failure.Incompatible for a word of more rows than a chunk has room for
    public List<int[]> captionChunks(String caption) throws Failure {
        return new Chunks(this).ofLiteral(caption).stream().map(Chunk::ids).toList();
    }

    /// All ids of a text without start and stop, those that must stay together in one piece.
    List<int[]> pieces(String text) {
        return phrases.join(scan(text, Integer.MAX_VALUE).pieces());
    }

    /// Exactly [#limit] ids: start, these, stop, padding.
    int[] framed(int[] own) {
        int[] ids = new int[frame.limit];
        Arrays.fill(ids, frame.padding);
        ids[0] = frame.start;
        System.arraycopy(own, 0, ids, 1, own.length);
        ids[own.length + 1] = frame.stop;
        return ids;
    }

    /// The id of a comma by itself.
    int comma() {
        return pairs.split(",").ids()[0];
    }

    private TextScan scan(String text, int most) {
        TextScan scan = new TextScan(pairs, specials, text, most);
        scan.run();
        return scan;
    }
}
