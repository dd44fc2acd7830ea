package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Encodes prompts to the UNet's context: tokenizer, adapters' tokens, text encoder. Not thread-safe; does not own the
/// text encoder.
public final class PromptEncoder {
    /// Galleries use the same prompts for every row and seed.
    private static final int MAX_CACHED = 32;

    private final DiffusionModel model;
    private final Tokenizer tokenizer;
    private final TextEncoder textEncoder;
    private final AdapterTargets targets;
    private final Map<CacheKey, Tensor> cache = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<CacheKey, Tensor> eldest) {
            return size() > MAX_CACHED;
        }
    };

    /// The UNet's context for the prompt and the negative prompt, of the same shape (1, S, C).
    public record PromptEmbeddings(Tensor prompt, Tensor negative) {}

    private record CacheKey(String text, int clipSkip, List<TextAdapterKey> adapters) {}

    /// Identifies an adapter's effect on the text encoder.
    private record TextAdapterKey(Adaptation adaptation, String hash, Optional<Adapter.EmbeddingToken> embeddingToken,
            double weight) {
        static TextAdapterKey of(WeightedAdapter weighted) {
            return new TextAdapterKey(weighted.adapter().adaptation(), weighted.adapter().hash(),
                    weighted.adapter().embeddingToken(), weighted.weight());
        }
    }

    private PromptEncoder(DiffusionModel model, Tokenizer tokenizer, TextEncoder textEncoder) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.textEncoder = textEncoder;
        this.targets = AdapterTargets.of(model);
    }

    /// @throws Failure.Unreadable if the model's tokenizer is missing or damaged
    public static PromptEncoder of(DiffusionModel model, TextEncoder textEncoder) throws Failure {
        return new PromptEncoder(model, model.tokenizer(), textEncoder);
    }

    /// The tokenizer extended by the adapters' tokens, which map to the embeddings that the adapters append to the text
    /// encoder's token table.
    /// @throws Failure.Incompatible if two adapters define the same token
    public Tokenizer tokenizer(List<WeightedAdapter> adapters) throws Failure {
        Tokenizer extended = tokenizer;
        int nextId = model.textEncoder().vocabularySize();
        List<Adapter> previous = new ArrayList<>();
        for (WeightedAdapter weighted : targets.targetingTextEncoder(adapters)) {
            Adapter adapter = weighted.adapter();
            if (adapter.embeddingToken().isEmpty()) continue;
            Adapter.EmbeddingToken embeddingToken = adapter.embeddingToken().get();
            for (Adapter other : previous) requireDistinctTokens(other, adapter);
            try {
                extended = withToken(extended, embeddingToken.token(),
                        IntStream.range(nextId, nextId + embeddingToken.vectors()).boxed().toList());
            } catch (IllegalArgumentException e) {
                throw new Failure.Incompatible("adapter " + adapter.name() + ": its token cannot be used with "
                        + model.name() + ": " + e.getMessage());
            }
            nextId += embeddingToken.vectors();
            previous.add(adapter);
        }
        return extended;
    }

    private static Tokenizer withToken(Tokenizer tokenizer, String token, List<Integer> ids) {
        return Tokenizer.isWord(token) ? tokenizer.withWord(token, ids) : tokenizer.withPhrase(token, ids);
    }

    private static void requireDistinctTokens(Adapter first, Adapter second) throws Failure {
        String token = second.embeddingToken().orElseThrow().token();
        if (Tokenizer.isSameToken(first.embeddingToken().orElseThrow().token(), token)) {
            throw new Failure.Incompatible("adapters " + first.name() + " and " + second.name()
                    + " both define the token \"" + token
                    + "\"; use one of them, or train one again with another trigger word");
        }
    }

    /// Encodes both prompts, cached. If they differ in chunks, both are repeated to a common length, which does not
    /// change the result of attention.
    /// @param clipSkip the text encoder's output block, counted from the end, from 1
    /// @throws Failure.Incompatible for an invalid emphasis, a token with too many vectors, or an invalid clipSkip
    public PromptEmbeddings encode(PromptPair prompt, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        int depth = model.textEncoder().transformer().depth();
        if (clipSkip < 1 || clipSkip > depth)
            throw new Failure.Incompatible("clip skip: expected 1 to " + depth
                    + " (blocks of the text encoder of " + model.name() + "), found " + clipSkip);
        Tensor text = embed(prompt.positive(), clipSkip, adapters);
        Tensor negative = embed(prompt.negative(), clipSkip, adapters);
        long length = text.shape().size(1);
        long negativeLength = negative.shape().size(1);
        long common = BigInteger.valueOf(length).gcd(BigInteger.valueOf(negativeLength)).longValue();
        return new PromptEmbeddings(repeat(text, negativeLength / common), repeat(negative, length / common));
    }

    private static Tensor repeat(Tensor context, long times) {
        return times == 1 ? context : concatenate(Collections.nCopies(Math.toIntExact(times), context));
    }

    private static Tensor concatenate(List<Tensor> contexts) {
        Shape first = contexts.getFirst().shape();
        Tensor stacked = Tensor.concatenate(contexts.toArray(Tensor[]::new));
        return stacked.reshape(Shape.of(1, first.size(1) * contexts.size(), first.size(2)));
    }

    private Tensor embed(String text, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        List<WeightedAdapter> textAdapters = targets.targetingTextEncoder(adapters);
        CacheKey key = new CacheKey(text, clipSkip, textAdapters.stream().map(TextAdapterKey::of).toList());
        Tensor embedding = cache.get(key);
        if (embedding == null) {
            List<Tensor> chunks = new ArrayList<>();
            for (Tokenizer.Chunk chunk : tokenizer(textAdapters).chunks(text)) {
                Tensor states = textEncoder.encode(new int[][] {chunk.ids()}, clipSkip, textAdapters);
                chunks.add(applyTokenWeights(states, chunk));
            }
            embedding = concatenate(chunks);
            cache.put(key, embedding);
        }
        return embedding;
    }

    /// Each token's state times its weight, then all of them scaled to the original mean.
    /// Source: AUTOMATIC1111's stable-diffusion-webui, emphasis "Original".
    private static Tensor applyTokenWeights(Tensor states, Tokenizer.Chunk chunk) {
        if (chunk.isUnweighted()) return states;
        int width = Math.toIntExact(states.shape().size(2));
        Tensor weighted = Tensor.generate(states.shape(), i -> states.data()[i] * chunk.weights()[i / width]);
        return weighted.scaled((float) (states.sum() / weighted.sum()));
    }
}
