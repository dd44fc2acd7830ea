package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Cuts a prompt into what a text encoder can read: chunks of its limit less 2, each between a start and a stop of its own. A chunk that
/// is full ends at its last comma, if that is within the last 20 ids, else where it is full; BREAK ends it at once; the rows that one
/// word stands for stay together.
/// Source: AUTOMATIC1111's stable-diffusion-webui, how it reads long prompts.
final class Chunks {
    private static final int BACK_TO_COMMA = 20;
    private static final int NONE = -1;

    private final Tokenizer tokenizer;
    private final int length;
    private final List<Chunk> done = new ArrayList<>();
    private final List<Weighted> open = new ArrayList<>();
    private int comma = NONE;

    private record Weighted(int id, float weight) {}

    Chunks(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.length = tokenizer.limit() - 2;
    }

    /// At least one chunk.
    List<Chunk> of(String prompt) throws Failure {
        for (Segment segment : PromptLanguage.parse(prompt)) {
            switch (segment) {
                case Segment.Words(String text, double weight) -> {
                    for (int[] piece : tokenizer.pieces(text)) add(piece, (float) weight);
                }
                case Segment.Break() -> close(open.size());
            }
        }
        if (!open.isEmpty() || done.isEmpty()) close(open.size());
        return List.copyOf(done);
    }

    /// The same of a text without weights or BREAK: brackets are letters.
    List<Chunk> ofLiteral(String text) throws Failure {
        for (int[] piece : tokenizer.pieces(text)) add(piece, 1);
        if (!open.isEmpty() || done.isEmpty()) close(open.size());
        return List.copyOf(done);
    }

    private void add(int[] piece, float weight) throws Failure {
        if (piece.length > length) {
            throw new Failure.Incompatible("a word of the prompt stands for " + piece.length + " rows of the text encoder's table; expected at most the " + length + " that the model reads at a time");
        }
        boolean isComma = piece.length == 1 && piece[0] == tokenizer.comma();
        if (isComma) comma = open.size();
        else if (open.size() == length && comma != NONE && open.size() - comma <= BACK_TO_COMMA) close(comma + 1);
        if (open.size() + piece.length > length) close(open.size());
        for (int id : piece) open.add(new Weighted(id, weight));
    }

    /// Ends the chunk after so many of its ids; the others begin the next one.
    private void close(int size) {
        List<Weighted> own = open.subList(0, size);
        float[] weights = new float[length + 2];
        Arrays.fill(weights, 1);
        for (int i = 0; i < size; i++) weights[i + 1] = own.get(i).weight;
        done.add(new Chunk(tokenizer.framed(own.stream().mapToInt(Weighted::id).toArray()), weights));
        own.clear();
        comma = NONE;
    }
}
