package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// CLIP's tokenizer: a prompt becomes ids of byte pairs between a start and a stop id. Immutable, any thread; time
/// grows with the text's length, and cutting to the limit reads no further than it has to.
/// Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 2.4.
public final class Tokenizer {
    private final BytePairEncoder encoder;
    private final SpecialTokens specialTokens;
    private final EmbeddingPhrases phrases;
    private final SpecialTokenLayout layout;

    /// What stands around a prompt's own ids: start before, stop behind, padding up to the limit.
    record SpecialTokenLayout(int bosId, int eosId, int padId, int maxLength) {}

    Tokenizer(BytePairEncoder encoder, SpecialTokens specialTokens, SpecialTokenLayout layout) {
        this(encoder, specialTokens, EmbeddingPhrases.empty(), layout);
    }

    private Tokenizer(BytePairEncoder encoder, SpecialTokens specialTokens, EmbeddingPhrases phrases,
            SpecialTokenLayout layout) {
        this.encoder = encoder;
        this.specialTokens = specialTokens;
        this.phrases = phrases;
        this.layout = layout;
    }

    /// @param folder a model's `tokenizer` folder (vocab.json and merges.txt, or tokenizer.json, and settings), or
    ///     one with CLIP's `.txt.gz` of merges
    public static Tokenizer open(Path folder) throws Failure {
        return TokenizerLoader.load(folder);
    }

    /// Whether a folder has a vocabulary beside its merges, of which a text encoder's table may hold more rows than
    /// it has tokens.
    public static boolean hasVocabulary(Path folder) {
        boolean hasBothFiles = Files.isRegularFile(folder.resolve(TokenizerLoader.VOCABULARY))
                && Files.isRegularFile(folder.resolve(TokenizerLoader.MERGES));
        return hasBothFiles || Files.isRegularFile(folder.resolve(TokenizerLoader.TOKENIZER_JSON));
    }

    /// How many ids the text encoder takes, start and stop included: 77 in CLIP.
    public int maxLength() {
        return layout.maxLength;
    }

    /// Ids of the vocabulary: how many rows the text encoder's table has at least.
    public int vocabularySize() {
        return encoder.vocabularySize();
    }

    /// The same tokenizer for an encoder of another length.
    public Tokenizer withMaxLength(int maxLength) {
        if (maxLength < 2) throw new IllegalArgumentException("limit: expected at least 2, found " + maxLength);
        return new Tokenizer(encoder, specialTokens, phrases,
                new SpecialTokenLayout(layout.bosId, layout.eosId, layout.padId, maxLength));
    }

    /// The same tokenizer for a text encoder whose table has more rows: this word stands for them, in any case and
    /// beside any punctuation, but not within another word.
    /// @param word without white space
    public Tokenizer withWord(String word, List<Integer> ids) {
        if (!isWord(word))
            throw new IllegalArgumentException("word: expected one word without white space, found \"" + word + "\"");
        if (ids.isEmpty())
            throw new IllegalArgumentException("ids of \"" + word + "\": expected at least one, found none");
        return new Tokenizer(encoder,
                specialTokens.with(new SpecialTokens.AddedToken(word, ids, SpecialTokens.MatchMode.SINGLE_WORD)),
                phrases, layout);
    }

    /// The same for a name of one word or several, as files of textual inversion have: it stands for these ids
    /// wherever a prompt is read to the same ids as the name.
    /// @throws IllegalArgumentException for a name without a letter, number or sign
    public Tokenizer withPhrase(String phrase, List<Integer> ids) {
        int[] pattern = scan(phrase, Integer.MAX_VALUE).ids();
        if (pattern.length == 0)
            throw new IllegalArgumentException("name: expected something to read, found \"" + phrase + "\"");
        if (ids.isEmpty())
            throw new IllegalArgumentException("ids of \"" + phrase + "\": expected at least one, found none");
        return new Tokenizer(encoder, specialTokens, phrases.with(pattern, ids), layout);
    }

    /// Whether a text is one word: something, and no white space in it.
    public static boolean isWord(String text) {
        return !text.isEmpty() && text.codePoints().noneMatch(ReferenceUnicode::isSpace);
    }

    /// Whether the tokenizer reads two words alike.
    public static boolean isSameToken(String a, String b) {
        return ReferenceUnicode.normalize(a).equals(ReferenceUnicode.normalize(b));
    }

    /// All ids of a text with start and stop, however many there are.
    public int[] encode(String text) {
        int[] contentIds = pieces(text).stream().flatMapToInt(Arrays::stream).toArray();
        int[] ids = new int[contentIds.length + 2];
        ids[0] = layout.bosId;
        System.arraycopy(contentIds, 0, ids, 1, contentIds.length);
        ids[contentIds.length + 1] = layout.eosId;
        return ids;
    }

    /// Exactly [#maxLength] ids: start, as many of the text's as fit, stop, padding.
    public PaddedTokens encodePadded(String text) {
        TokenScanner scanner = scan(text, layout.maxLength - 2);
        return new PaddedTokens(withSpecialTokens(scanner.ids()),
                scanner.overflowStart().isPresent()
                        ? Optional.of(text.substring(scanner.overflowStart().getAsInt()).strip())
                        : Optional.empty());
    }

    /// A prompt as people write it, with weights, BREAK and of any length; see [PromptAttentionParser].
    /// @throws Failure.Incompatible for a weight that is no number, or a word of more rows than a chunk has room for
    public List<Chunk> chunks(String prompt) throws Failure {
        return new PromptChunker(this).chunk(prompt);
    }

    /// A caption of any length in chunks as a prompt's, word for word: brackets are letters, and nothing has a weight.
    /// @return at least one chunk of exactly [#maxLength] ids
    /// @throws Failure.Incompatible for a word of more rows than a chunk has room for
    public List<int[]> captionChunks(String caption) throws Failure {
        return new PromptChunker(this).chunkLiteral(caption).stream().map(Chunk::ids).toList();
    }

    /// All ids of a text without start and stop, those that must stay together in one piece.
    List<int[]> pieces(String text) {
        return phrases.replace(scan(text, Integer.MAX_VALUE).pieces());
    }

    /// Exactly [#maxLength] ids: start, these, stop, padding.
    int[] withSpecialTokens(int[] contentIds) {
        int[] ids = new int[layout.maxLength];
        Arrays.fill(ids, layout.padId);
        ids[0] = layout.bosId;
        System.arraycopy(contentIds, 0, ids, 1, contentIds.length);
        ids[contentIds.length + 1] = layout.eosId;
        return ids;
    }

    /// The id of a comma by itself.
    int commaId() {
        return encoder.encode(",").ids()[0];
    }

    private TokenScanner scan(String text, int maxIds) {
        TokenScanner scanner = new TokenScanner(encoder, specialTokens, text, maxIds);
        scanner.scan();
        return scanner;
    }

    /// As many ids as a text encoder reads at a time, start and stop among them, and how much each weighs in what it
    /// says of them.
    public record Chunk(int[] ids, float[] weights) {
        /// Whether everything is left as the text encoder says it.
        public boolean isUnweighted() {
            for (float weight : weights) if (weight != 1) return false;
            return true;
        }
    }

    /// Names that are recognized by how they are read: wherever the ids of one follow one another it becomes its own
    /// ids, the longest first.
    /// Source: AUTOMATIC1111's stable-diffusion-webui, how it finds textual inversions in prompts.
    record EmbeddingPhrases(List<Phrase> longestFirst) {
        record Phrase(int[] pattern, int[] replacement) {}

        static EmbeddingPhrases empty() {
            return new EmbeddingPhrases(List.of());
        }

        EmbeddingPhrases with(int[] pattern, List<Integer> replacement) {
            List<Phrase> all = new ArrayList<>(longestFirst);
            all.add(new Phrase(pattern, replacement.stream().mapToInt(Integer::intValue).toArray()));
            all.sort((a, b) -> Integer.compare(b.pattern.length, a.pattern.length));
            return new EmbeddingPhrases(List.copyOf(all));
        }

        List<int[]> replace(List<int[]> pieces) {
            if (longestFirst.isEmpty()) return pieces;
            List<int[]> replaced = new ArrayList<>();
            for (int at = 0; at < pieces.size();) {
                int start = at;
                Phrase found = longestFirst.stream()
                        .filter(phrase -> matchesAt(phrase, pieces, start))
                        .findFirst()
                        .orElse(null);
                replaced.add(found == null ? pieces.get(at) : found.replacement);
                at += found == null ? 1 : found.pattern.length;
            }
            return replaced;
        }

        private static boolean matchesAt(Phrase phrase, List<int[]> pieces, int at) {
            if (at + phrase.pattern.length > pieces.size()) return false;
            return Arrays.equals(phrase.pattern,
                    pieces.subList(at, at + phrase.pattern.length)
                            .stream()
                            .mapToInt(piece -> piece.length == 1 ? piece[0] : -1)
                            .toArray());
        }
    }

    /// A prompt as a text encoder reads it: as many ids as its limit, and the end of the text that did not fit, as
    /// the user wrote it.
    public record PaddedTokens(int[] ids, Optional<String> truncatedText) {}
}
