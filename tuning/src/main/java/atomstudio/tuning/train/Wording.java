package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.Conditioning;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Captions as batches are conditioned on them. A caption longer than the text encoder reads is trained on in chunks, as prompts are sampled
/// in: the encoder's states of its chunks in a row. In a batch all are repeated to the same length, which attention does not notice.
sealed interface Wording {
    /// 225 ids of CLIP's 77 a chunk, as kohya's `max_token_length` at most.
    int MOST_CHUNKS = 3;
    /// Letters of a caption in a note.
    int SHOWN = 60;

    /// What pictures of these captions, one a picture, are conditioned on.
    Conditioning of(List<String> captions);

    /// For a text encoder that stays as it is: it reads every caption once, and is needed no more.
    /// @param contexts of each caption (1,chunks·S,C)
    record Embedded(Map<String, Tensor> contexts) implements Wording {
        @Override public Conditioning of(List<String> captions) {
            List<Tensor> all = captions.stream().map(contexts::get).toList();
            int length = all.stream().mapToInt(context -> (int) context.shape().size(1)).reduce(1, Wording::commonMultiple);
            return new Conditioning.Embedded(Tensor.concatenate(all.stream().map(context -> inARow(Collections.nCopies(length / (int) context.shape().size(1), context))).toArray(Tensor[]::new)));
        }
    }

    /// For a text encoder that is tuned: it reads a batch's captions in every step.
    /// @param ids of each caption's chunks (chunks,S)
    record Read(Map<String, int[][]> ids) implements Wording {
        @Override public Conditioning of(List<String> captions) {
            int chunks = captions.stream().mapToInt(caption -> ids.get(caption).length).reduce(1, Wording::commonMultiple);
            List<int[]> all = new ArrayList<>();
            for (String caption : captions) {
                int[][] own = ids.get(caption);
                for (int i = 0; i < chunks; i++) all.add(own[i % own.length]);
            }
            return new Conditioning.TokenIds(all.toArray(int[][]::new), chunks);
        }
    }

    static Wording embedded(Collection<String> captions, Tokenizer tokenizer, Engine engine) throws Failure {
        Map<String, Tensor> contexts = new HashMap<>();
        for (String caption : captions) {
            List<Tensor> states = new ArrayList<>();
            for (int[] chunk : chunks(caption, tokenizer)) states.add(engine.encodeText(new int[][] {chunk}, 1, List.of()));
            contexts.put(caption, inARow(states));
        }
        return new Embedded(contexts);
    }

    static Wording read(Collection<String> captions, Tokenizer tokenizer) throws Failure {
        Map<String, int[][]> ids = new HashMap<>();
        for (String caption : captions) ids.put(caption, chunks(caption, tokenizer).toArray(int[][]::new));
        return new Read(ids);
    }

    /// What a person should know of captions that are longer than what is trained on.
    static List<String> notes(Collection<String> captions, Tokenizer tokenizer) throws Failure {
        List<String> notes = new ArrayList<>();
        for (String caption : new LinkedHashSet<>(captions)) {
            int chunks = tokenizer.captionChunks(caption).size();
            if (chunks <= MOST_CHUNKS) continue;
            notes.add("the caption \"" + caption.substring(0, Math.min(SHOWN, caption.length())) + "…\" has " + (tokenizer.encode(caption).length - 2) + " tokens, more than the "
                + MOST_CHUNKS * (tokenizer.maxLength() - 2) + " that are trained on; its end is left out");
        }
        return notes;
    }

    private static List<int[]> chunks(String caption, Tokenizer tokenizer) throws Failure {
        List<int[]> chunks = tokenizer.captionChunks(caption);
        return chunks.subList(0, Math.min(MOST_CHUNKS, chunks.size()));
    }

    private static Tensor inARow(List<Tensor> contexts) {
        if (contexts.size() == 1) return contexts.getFirst();
        Shape first = contexts.getFirst().shape();
        return Tensor.concatenate(contexts.toArray(Tensor[]::new)).reshape(Shape.of(1, first.size(1) * contexts.size(), first.size(2)));
    }

    private static int commonMultiple(int a, int b) {
        int greatest = a;
        for (int rest = b; rest != 0;) {
            int next = greatest % rest;
            greatest = rest;
            rest = next;
        }
        return a / greatest * b;
    }
}
