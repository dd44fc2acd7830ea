package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.TextEncoder;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.BatchConditioning;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Captions as the conditioning of batches. A caption longer than the text encoder's input is encoded in chunks whose
/// states are concatenated, as for long prompts. Within a batch, captions are repeated to the same length, which does
/// not change attention.
public sealed interface TextConditioning {
    /// 225 tokens, kohya's largest `max_token_length`.
    int MAX_CHUNKS = 3;
    /// Length of a caption in a warning.
    int MAX_SHOWN_CHARACTERS = 60;

    /// The conditioning of a batch with these captions, one per photo.
    BatchConditioning of(List<String> captions);

    /// For a frozen text encoder: each caption is encoded once.
    /// @param contexts of each caption (1, chunks·S, C)
    record PrecomputedStates(Map<String, Tensor> contexts) implements TextConditioning {
        @Override
        public BatchConditioning of(List<String> captions) {
            List<Tensor> all = captions.stream().map(contexts::get).toList();
            int length = all.stream()
                    .mapToInt(context -> (int) context.shape().size(1))
                    .reduce(1, TextConditioning::leastCommonMultiple);
            return new BatchConditioning.Embedded(Tensor.concatenate(all.stream()
                    .map(context -> concatenate(Collections.nCopies(length / (int) context.shape().size(1), context)))
                    .toArray(Tensor[]::new)));
        }
    }

    /// For a text encoder that is trained: captions are encoded in every step.
    /// @param ids of each caption's chunks (chunks, S)
    record TokenizedCaptions(Map<String, int[][]> ids) implements TextConditioning {
        @Override
        public BatchConditioning of(List<String> captions) {
            int chunks = captions.stream()
                    .mapToInt(caption -> ids.get(caption).length)
                    .reduce(1, TextConditioning::leastCommonMultiple);
            List<int[]> all = new ArrayList<>();
            for (String caption : captions) {
                int[][] captionIds = ids.get(caption);
                for (int i = 0; i < chunks; i++) all.add(captionIds[i % captionIds.length]);
            }
            return new BatchConditioning.TokenIds(all.toArray(int[][]::new), chunks);
        }
    }

    static TextConditioning precompute(Collection<String> captions, Tokenizer tokenizer, TextEncoder textEncoder)
            throws Failure {
        Map<String, Tensor> contexts = new HashMap<>();
        for (String caption : captions) {
            List<Tensor> states = new ArrayList<>();
            for (int[] chunk : chunks(caption, tokenizer))
                states.add(textEncoder.encode(new int[][] {chunk}, 1, List.of()));
            contexts.put(caption, concatenate(states));
        }
        return new PrecomputedStates(contexts);
    }

    static TextConditioning tokenize(Collection<String> captions, Tokenizer tokenizer) throws Failure {
        Map<String, int[][]> ids = new HashMap<>();
        for (String caption : captions) ids.put(caption, chunks(caption, tokenizer).toArray(int[][]::new));
        return new TokenizedCaptions(ids);
    }

    /// Warnings about captions that are truncated.
    static List<String> warnings(Collection<String> captions, Tokenizer tokenizer) throws Failure {
        List<String> warnings = new ArrayList<>();
        for (String caption : new LinkedHashSet<>(captions)) {
            int chunks = tokenizer.captionChunks(caption).size();
            if (chunks <= MAX_CHUNKS) continue;
            warnings.add("the caption \"" + caption.substring(0, Math.min(MAX_SHOWN_CHARACTERS, caption.length()))
                    + "…\" has " + (tokenizer.encode(caption).length - 2) + " tokens, more than the "
                    + MAX_CHUNKS * (tokenizer.maxLength() - 2) + " that are used; it is truncated");
        }
        return warnings;
    }

    private static List<int[]> chunks(String caption, Tokenizer tokenizer) throws Failure {
        List<int[]> chunks = tokenizer.captionChunks(caption);
        return chunks.subList(0, Math.min(MAX_CHUNKS, chunks.size()));
    }

    private static Tensor concatenate(List<Tensor> contexts) {
        if (contexts.size() == 1) return contexts.getFirst();
        Shape first = contexts.getFirst().shape();
        return Tensor.concatenate(contexts.toArray(Tensor[]::new))
                .reshape(Shape.of(1, first.size(1) * contexts.size(), first.size(2)));
    }

    private static int leastCommonMultiple(int a, int b) {
        int divisor = a;
        for (int remainder = b; remainder != 0;) {
            int next = divisor % remainder;
            divisor = remainder;
            remainder = next;
        }
        return a / divisor * b;
    }
}
