package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Cuts a prompt into what a text encoder can read: chunks of its limit less 2, each between a start and a stop of
/// its own. A chunk that is full ends at its last comma, if that is within the last 20 ids, else where it is full;
/// BREAK ends it at once; the rows that one word stands for stay together.
/// Source: AUTOMATIC1111's stable-diffusion-webui, how it reads long prompts.
final class PromptChunker {
    private static final int COMMA_BACKTRACK = 20;
    private static final int NONE = -1;

    private final Tokenizer tokenizer;
    private final int capacity;
    private final List<Tokenizer.Chunk> chunks = new ArrayList<>();
    private final List<WeightedId> current = new ArrayList<>();
    private int lastComma = NONE;

    private record WeightedId(int id, float weight) {}

    PromptChunker(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.capacity = tokenizer.maxLength() - 2;
    }

    /// At least one chunk.
    List<Tokenizer.Chunk> chunk(String prompt) throws Failure {
        for (PromptAttentionParser.Segment segment : PromptAttentionParser.parse(prompt)) {
            switch (segment) {
                case PromptAttentionParser.Segment.Text(String text, double weight) -> {
                    for (int[] piece : tokenizer.pieces(text)) add(piece, (float) weight);
                }
                case PromptAttentionParser.Segment.Break() -> closeChunk(current.size());
            }
        }
        if (!current.isEmpty() || chunks.isEmpty()) closeChunk(current.size());
        return List.copyOf(chunks);
    }

    /// The same of a text without weights or BREAK: brackets are letters.
    List<Tokenizer.Chunk> chunkLiteral(String text) throws Failure {
        for (int[] piece : tokenizer.pieces(text)) add(piece, 1);
        if (!current.isEmpty() || chunks.isEmpty()) closeChunk(current.size());
        return List.copyOf(chunks);
    }

    private void add(int[] piece, float weight) throws Failure {
        if (piece.length > capacity) {
            throw new Failure.Incompatible("a word of the prompt stands for " + piece.length
                    + " rows of the text encoder's table; expected at most the " + capacity
                    + " that the model reads at a time");
        }
        boolean isComma = piece.length == 1 && piece[0] == tokenizer.commaId();
        if (isComma) lastComma = current.size();
        else
            if (current.size() == capacity && lastComma != NONE && current.size() - lastComma <= COMMA_BACKTRACK)
                closeChunk(lastComma + 1);
        if (current.size() + piece.length > capacity) closeChunk(current.size());
        for (int id : piece) current.add(new WeightedId(id, weight));
    }

    /// Ends the chunk after so many of its ids; the others begin the next one.
    private void closeChunk(int size) {
        List<WeightedId> chunkIds = current.subList(0, size);
        float[] weights = new float[capacity + 2];
        Arrays.fill(weights, 1);
        for (int i = 0; i < size; i++) weights[i + 1] = chunkIds.get(i).weight;
        chunks.add(new Tokenizer.Chunk(
                tokenizer.withSpecialTokens(chunkIds.stream().mapToInt(WeightedId::id).toArray()), weights));
        chunkIds.clear();
        lastComma = NONE;
    }
}
