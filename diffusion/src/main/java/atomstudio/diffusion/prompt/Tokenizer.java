package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// CLIP's tokenizer: encodes a prompt as byte pair ids between a start and a stop id. Immutable and thread-safe. Time
/// is linear in the text length; padding to the limit scans no further than the limit.
/// Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 2.4.
public final class Tokenizer {
    private final BytePairEncoder encoder;
    private final SpecialTokens specialTokens;
    private final EmbeddingPhrases phrases;
    private final SpecialTokenLayout layout;

    /// The special ids around a prompt: start, stop, and padding up to the limit.
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

    /// @param folder a model's `tokenizer` folder (vocab.json and merges.txt, or tokenizer.json, and the configs), or
    ///     one with CLIP's `.txt.gz` of merges
    public static Tokenizer open(Path folder) throws Failure {
        return TokenizerLoader.load(folder);
    }

    /// Whether a folder has an explicit vocabulary, not only merges.
    public static boolean hasVocabulary(Path folder) {
        boolean hasBothFiles = Files.isRegularFile(folder.resolve(TokenizerLoader.VOCABULARY))
                && Files.isRegularFile(folder.resolve(TokenizerLoader.MERGES));
        return hasBothFiles || Files.isRegularFile(folder.resolve(TokenizerLoader.TOKENIZER_JSON));
    }

    /// Ids per chunk, start and stop included: 77 in CLIP.
    public int maxLength() {
        return layout.maxLength;
    }

    /// Size of the vocabulary: the minimum number of rows of the text encoder's token embedding.
    public int vocabularySize() {
        return encoder.vocabularySize();
    }

    public Tokenizer withMaxLength(int maxLength) {
        if (maxLength < 2) throw new IllegalArgumentException("maxLength: expected at least 2, found " + maxLength);
        return new Tokenizer(encoder, specialTokens, phrases,
                new SpecialTokenLayout(layout.bosId, layout.eosId, layout.padId, maxLength));
    }

    /// Adds a token for trained embeddings: the word is encoded as `ids`, in upper or lower case and next to
    /// punctuation, but not inside another word.
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

    /// Adds a name of one or more words, as textual inversion files have: it is replaced by `ids` wherever a prompt is
    /// encoded to the same ids as the name.
    /// @throws IllegalArgumentException for a name without any visible character
    public Tokenizer withPhrase(String phrase, List<Integer> ids) {
        int[] pattern = scan(phrase, Integer.MAX_VALUE).ids();
        if (pattern.length == 0)
            throw new IllegalArgumentException("name: expected visible characters, found \"" + phrase + "\"");
        if (ids.isEmpty())
            throw new IllegalArgumentException("ids of \"" + phrase + "\": expected at least one, found none");
        return new Tokenizer(encoder, specialTokens, phrases.with(pattern, ids), layout);
    }

    /// Whether a text is one word: not empty, and without white space.
    public static boolean isWord(String text) {
        return !text.isEmpty() && text.codePoints().noneMatch(ReferenceUnicode::isSpace);
    }

    /// Whether two words are equal after normalization.
    public static boolean isSameToken(String a, String b) {
        return ReferenceUnicode.normalize(a).equals(ReferenceUnicode.normalize(b));
    }

    /// All ids of a text with start and stop, of any length.
    public int[] encode(String text) {
        int[] contentIds = idGroups(text).stream().flatMapToInt(Arrays::stream).toArray();
        int[] ids = new int[contentIds.length + 2];
        ids[0] = layout.bosId;
        System.arraycopy(contentIds, 0, ids, 1, contentIds.length);
        ids[contentIds.length + 1] = layout.eosId;
        return ids;
    }

    /// Exactly [#maxLength] ids: start, the text's ids as far as they fit, stop, padding.
    public PaddedTokens encodePadded(String text) {
        TokenScanner scanner = scan(text, layout.maxLength - 2);
        OptionalInt overflow = scanner.overflowStart();
        return new PaddedTokens(withSpecialTokens(scanner.ids()),
                overflow.isPresent() ? Optional.of(text.substring(overflow.getAsInt()).strip()) : Optional.empty());
    }

    /// Encodes a prompt of any length with attention syntax and BREAK; see [PromptAttentionParser].
    /// @throws Failure.Incompatible for an invalid weight, or a word of more ids than fit in a chunk
    public List<Chunk> chunks(String prompt) throws Failure {
        return new PromptChunker(this).chunk(prompt);
    }

    /// Encodes a caption of any length literally, without attention syntax.
    /// @return at least one chunk of exactly [#maxLength] ids
    /// @throws Failure.Incompatible for a word of more ids than fit in a chunk
    public List<int[]> captionChunks(String caption) throws Failure {
        List<Chunk> chunks = new PromptChunker(this).chunkLiteral(caption);
        return chunks.stream().map(Chunk::ids).toList();
    }

    /// All ids of a text without start and stop, grouped so that the ids of one word with embeddings stay together.
    List<int[]> idGroups(String text) {
        return phrases.replace(scan(text, Integer.MAX_VALUE).idGroups());
    }

    /// Exactly [#maxLength] ids: start, `contentIds`, stop, padding.
    int[] withSpecialTokens(int[] contentIds) {
        int[] ids = new int[layout.maxLength];
        Arrays.fill(ids, layout.padId);
        ids[0] = layout.bosId;
        System.arraycopy(contentIds, 0, ids, 1, contentIds.length);
        ids[contentIds.length + 1] = layout.eosId;
        return ids;
    }

    /// The id of a single comma.
    int commaId() {
        return encoder.encode(",").ids()[0];
    }

    private TokenScanner scan(String text, int maxIds) {
        TokenScanner scanner = new TokenScanner(encoder, specialTokens, text, maxIds);
        scanner.scan();
        return scanner;
    }

    /// The input of one text encoder pass: [#maxLength] ids with start and stop, and the attention weight of each id.
    public record Chunk(int[] ids, float[] weights) {
        /// Whether all weights are 1.
        public boolean isUnweighted() {
            for (float weight : weights) if (weight != 1) return false;
            return true;
        }
    }

    /// Names of textual inversions, matched by their ids: each occurrence is replaced by the ids of the embedding,
    /// longest name first.
    /// Source: AUTOMATIC1111's stable-diffusion-webui, `find_embedding_at_position`.
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

        List<int[]> replace(List<int[]> idGroups) {
            if (longestFirst.isEmpty()) return idGroups;
            List<int[]> replaced = new ArrayList<>();
            for (int at = 0; at < idGroups.size();) {
                int start = at;
                Phrase found = longestFirst.stream()
                        .filter(phrase -> matchesAt(phrase, idGroups, start))
                        .findFirst()
                        .orElse(null);
                replaced.add(found == null ? idGroups.get(at) : found.replacement);
                at += found == null ? 1 : found.pattern.length;
            }
            return replaced;
        }

        private static boolean matchesAt(Phrase phrase, List<int[]> idGroups, int at) {
            if (at + phrase.pattern.length > idGroups.size()) return false;
            for (int i = 0; i < phrase.pattern.length; i++) {
                int[] group = idGroups.get(at + i);
                if (group.length != 1 || group[0] != phrase.pattern[i]) return false;
            }
            return true;
        }
    }

    /// Ids padded or truncated to the limit, and the end of the original text that did not fit.
    public record PaddedTokens(int[] ids, Optional<String> truncatedText) {}
}
