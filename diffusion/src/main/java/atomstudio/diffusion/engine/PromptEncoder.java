package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Prompt;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Placeholder;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
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
    private record Embedded(String text, List<Voice> voices) {}

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
        return new PromptEncoder(model, Tokenizer.open(model.tokenizer()), engine);
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
                with = with.with(placeholder.word(), IntStream.range(next, next + placeholder.rows()).boxed().toList());
            } catch (IllegalArgumentException e) {
                throw new Failure.Incompatible("adapter " + adapter.name() + ": its word cannot be used with " + model.name() + ": " + e.getMessage());
            }
            next += placeholder.rows();
            before.add(adapter);
        }
        return with;
    }

    private static void refuseEqual(Adapter one, Adapter other) throws Failure {
        String word = other.placeholder().orElseThrow().word();
        if (Tokenizer.alike(one.placeholder().orElseThrow().word(), word)) {
            throw new Failure.Incompatible("adapters " + one.name() + " and " + other.name() + " both stand for the word \"" + word + "\"; expected words of their own: use one of them, or tune one again with another --token");
        }
    }

    /// Embeds both prompts, from memory where they were asked for before.
    /// @param clipSkip which of the text encoder's last layers is read, from 1
    public Contexts contexts(Prompt prompt, int clipSkip, List<Applied> adapters) throws Failure {
        if (clipSkip != 1) throw new Failure.NotBuilt("clip skip " + clipSkip + " is not built yet");
        return new Contexts(embed(prompt.text(), adapters), embed(prompt.negative(), adapters));
    }

    private Tensor embed(String text, List<Applied> adapters) throws Failure {
        List<Applied> speaking = reach.onText(adapters);
        Embedded key = new Embedded(text, speaking.stream().map(Voice::of).toList());
        Tensor embedding = embeddings.get(key);
        if (embedding == null) {
            embedding = engine.encodeText(new int[][] {tokenizer(speaking).tokens(text).ids()}, speaking);
            embeddings.put(key, embedding);
        }
        return embedding;
    }
}
