package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Placeholder;
import atomstudio.diffusion.prompt.Chunk;
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

/// From prompts to what the UNet attends to: tokens, words that adapters bring, text encoder. One thread at a time; does not own the engine.
public final class PromptEncoder {
    /// Embeddings that are kept: galleries ask for the same prompts for every row and seed.
    private static final int KEPT = 32;

    private final ModelFolder model;
    private final Tokenizer tokenizer;
    private final Engine engine;
    private final Reach reach;
    private final Map<Embedded, Tensor> embeddings = new LinkedHashMap<>(16, 0.75f, true) {
        @Override protected boolean removeEldestEntry(Map.Entry<Embedded, Tensor> eldest) {
            return size() > KEPT;
        }
    };

    /// What the network attends to: the prompt, and the negative prompt in the same shape (1,S,C).
    public record Contexts(Tensor prompt, Tensor negative) {}

    /// Everything that decides an embedding.
    private record Embedded(String text, int clipSkip, List<Voice> voices) {}

    /// What an adapter does to the text encoder, and how strongly.
    private record Voice(Adaptation form, String hash, Optional<Placeholder> placeholder, double strength) {
        static Voice of(Applied applied) {
            return new Voice(applied.adapter().form(), applied.adapter().hash(), applied.adapter().placeholder(), applied.strength());
        }
    }

    private PromptEncoder(ModelFolder model, Tokenizer tokenizer, Engine engine) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.engine = engine;
        this.reach = Reach.of(model);
    }

    /// @throws Failure.Unreadable when the model's tokenizer is missing or damaged
    public static PromptEncoder of(ModelFolder model, Engine engine) throws Failure {
        return new PromptEncoder(model, model.tokenizer(), engine);
    }

    /// The tokenizer that prompts are read with under these adapters: each placeholder stands for the ids of the rows that its adapter
    /// appends to the text encoder's table.
    /// @throws Failure.Incompatible when two adapters answer to the same word
    public Tokenizer tokenizer(List<Applied> adapters) throws Failure {
        Tokenizer with = tokenizer;
        int next = model.text().vocabulary();
        List<Adapter> before = new ArrayList<>();
        for (Applied applied : reach.onText(adapters)) {
            Adapter adapter = applied.adapter();
            if (adapter.placeholder().isEmpty()) continue;
            Placeholder placeholder = adapter.placeholder().get();
            for (Adapter other : before) refuseEqual(other, adapter);
            try {
                with = word(with, placeholder.word(), IntStream.range(next, next + placeholder.rows()).boxed().toList());
            } catch (IllegalArgumentException e) {
                throw new Failure.Incompatible("adapter " + adapter.name() + ": its word cannot be used with " + model.name() + ": " + e.getMessage());
            }
            next += placeholder.rows();
            before.add(adapter);
        }
        return with;
    }

    private static Tokenizer word(Tokenizer tokenizer, String word, List<Integer> ids) {
        return Tokenizer.isWord(word) ? tokenizer.with(word, ids) : tokenizer.withName(word, ids);
    }

    private static void refuseEqual(Adapter one, Adapter other) throws Failure {
        String word = other.placeholder().orElseThrow().word();
        if (Tokenizer.alike(one.placeholder().orElseThrow().word(), word)) {
            throw new Failure.Incompatible("adapters " + one.name() + " and " + other.name() + " both stand for the word \"" + word + "\"; expected words of their own: use one of them, or tune one again with another --token");
        }
    }

    /// Embeds both prompts, from memory where they were asked for before. A prompt of more chunks than the other is what both are repeated
    /// to: attention over a context and its copies is attention over the context.
    /// @param clipSkip after which of the text encoder's last blocks, from 1
    /// @throws Failure.Incompatible for a weight that is no number, a word of too many rows, or more blocks skipped than there are
    public Contexts contexts(Prompt prompt, int clipSkip, List<Applied> adapters) throws Failure {
        int depth = model.text().blocks().depth();
        if (clipSkip < 1 || clipSkip > depth) throw new Failure.Incompatible("clip skip: expected 1 to " + depth + ", the blocks of the text encoder of " + model.name() + ", found " + clipSkip);
        Tensor text = embed(prompt.text(), clipSkip, adapters);
        Tensor negative = embed(prompt.negative(), clipSkip, adapters);
        long shared = BigInteger.valueOf(text.shape().size(1)).gcd(BigInteger.valueOf(negative.shape().size(1))).longValue();
        return new Contexts(repeated(text, negative.shape().size(1) / shared), repeated(negative, text.shape().size(1) / shared));
    }

    private static Tensor repeated(Tensor context, long times) {
        return times == 1 ? context : inARow(Collections.nCopies(Math.toIntExact(times), context));
    }

    private static Tensor inARow(List<Tensor> contexts) {
        Shape first = contexts.getFirst().shape();
        Tensor all = Tensor.stack(contexts.toArray(Tensor[]::new));
        return all.reshape(Shape.of(1, first.size(1) * contexts.size(), first.size(2)));
    }

    private Tensor embed(String text, int clipSkip, List<Applied> adapters) throws Failure {
        List<Applied> speaking = reach.onText(adapters);
        Embedded key = new Embedded(text, clipSkip, speaking.stream().map(Voice::of).toList());
        Tensor embedding = embeddings.get(key);
        if (embedding == null) {
            List<Tensor> chunks = new ArrayList<>();
            for (Chunk chunk : tokenizer(speaking).chunks(text)) chunks.add(weighted(engine.encodeText(new int[][] {chunk.ids()}, clipSkip, speaking), chunk));
            embedding = inARow(chunks);
            embeddings.put(key, embedding);
        }
        return embedding;
    }

    /// Each token's state times its weight, all of it scaled so that the mean stays what it was.
    /// Source: AUTOMATIC1111's stable-diffusion-webui, emphasis "Original".
    private static Tensor weighted(Tensor states, Chunk chunk) {
        if (chunk.plain()) return states;
        int width = Math.toIntExact(states.shape().size(2));
        Tensor weighted = Tensor.zeros(states.shape());
        for (int i = 0; i < weighted.data().length; i++) weighted.data()[i] = states.data()[i] * chunk.weights()[i / width];
        double restoring = sum(states) / sum(weighted);
        for (int i = 0; i < weighted.data().length; i++) weighted.data()[i] *= (float) restoring;
        return weighted;
    }

    private static double sum(Tensor tensor) {
        double sum = 0;
        for (float number : tensor.data()) sum += number;
        return sum;
    }
}
