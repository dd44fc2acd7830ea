package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.Conditioning;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Captions as batches are conditioned on them.
sealed interface Wording {
    /// What pictures of these captions, one a picture, are conditioned on.
    Conditioning of(List<String> captions);

    /// For a text encoder that stays as it is: it reads every caption once, and is needed no more.
    record Embedded(Map<String, Tensor> contexts) implements Wording {
        @Override public Conditioning of(List<String> captions) {
            return new Conditioning.Embedded(Tensor.stack(captions.stream().map(contexts::get).toArray(Tensor[]::new)));
        }
    }

    /// For a text encoder that is tuned: it reads a batch's captions in every step.
    record Read(Map<String, int[]> ids) implements Wording {
        @Override public Conditioning of(List<String> captions) {
            return new Conditioning.Words(captions.stream().map(ids::get).toArray(int[][]::new));
        }
    }

    static Wording embedded(Collection<String> captions, Tokenizer tokenizer, Engine engine) throws Failure {
        Map<String, Tensor> contexts = new HashMap<>();
        for (String caption : captions) contexts.put(caption, engine.encodeText(new int[][] {tokenizer.tokens(caption).ids()}, 1, List.of()));
        return new Embedded(contexts);
    }

    static Wording read(Collection<String> captions, Tokenizer tokenizer) {
        Map<String, int[]> ids = new HashMap<>();
        for (String caption : captions) ids.put(caption, tokenizer.tokens(caption).ids());
        return new Read(ids);
    }
}
