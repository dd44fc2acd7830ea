package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Splits a prompt of any length into chunks for the text encoder: the length limit less 2 ids, each between a start
/// and a stop id. A full chunk ends at its last comma if that is within the last 20 ids, else where it is full; BREAK
/// ends a chunk early; the ids of one word stay together.
/// Source: AUTOMATIC1111's stable-diffusion-webui, modules/sd_hijack_clip.py, `tokenize_line`.
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
                    for (int[] group : tokenizer.idGroups(text)) add(group, (float) weight);
                }
                case PromptAttentionParser.Segment.Break() -> closeChunk(current.size());
            }
        }
        if (!current.isEmpty() || chunks.isEmpty()) closeChunk(current.size());
        return List.copyOf(chunks);
    }

    /// Chunks of a text without attention syntax: brackets and BREAK are plain text.
    List<Tokenizer.Chunk> chunkLiteral(String text) throws Failure {
        for (int[] group : tokenizer.idGroups(text)) add(group, 1);
        if (!current.isEmpty() || chunks.isEmpty()) closeChunk(current.size());
        return List.copyOf(chunks);
    }

    private void add(int[] group, float weight) throws Failure {
        if (group.length > capacity) {
            throw new Failure.Incompatible("a word of the prompt has " + group.length
                    + " token ids; expected at most " + capacity + ", the length of a chunk of the model");
        }
        boolean isComma = group.length == 1 && group[0] == tokenizer.commaId();
        boolean isFull = current.size() == capacity;
        boolean isCommaNear = lastComma != NONE && current.size() - lastComma <= COMMA_BACKTRACK;
        if (isComma) lastComma = current.size();
        else if (isFull && isCommaNear) closeChunk(lastComma + 1);
        if (current.size() + group.length > capacity) closeChunk(current.size());
        for (int id : group) current.add(new WeightedId(id, weight));
    }

    /// Ends the chunk after its first `size` ids; the rest starts the next one.
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
