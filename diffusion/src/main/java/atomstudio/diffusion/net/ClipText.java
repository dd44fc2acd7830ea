package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Attention.Mask;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;

/// CLIP's text encoder. Names are the published state-dict keys of CLIPTextModel, with their `text_model.` prefix.
/// Source: Radford et al. 2021, section 2.4.
public record ClipText(int vocabulary, int tokens, ClipBlocks blocks) {
    /// Numbers of a token's state.
    public int width() {
        return blocks.width();
    }

    /// Token ids (B, tokens) -> (B, tokens, width): the hidden state after all blocks but the last `skipped`, then the final norm.
    public <T> T encode(Ops<T> ops, Layers<T> layers, T ids, int skipped) {
        Parts<T> parts = new Parts<>(ops, layers);
        T x = ops.lookup(parts.table("text_model.embeddings.token_embedding", vocabulary, width()), ids);
        T positions = parts.table("text_model.embeddings.position_embedding", tokens, width());
        x = ops.add(x, ops.reshape(positions, Shape.of(1, tokens, width())));
        x = blocks.run(parts, "text_model.encoder.layers", x, new ClipBlocks.Part(blocks.depth() - skipped, Mask.CAUSAL));
        return parts.layerNorm("text_model.final_layer_norm", x, blocks.epsilon());
    }

    /// Token ids (B, tokens) and where each text ends, `ends` (B, 1) counted over all rows -> (B, projected): the end-of-text token's state
    /// in the space that CLIP shares with pictures.
    public <T> T project(Ops<T> ops, Layers<T> layers, Texts<T> texts, int projected) {
        T states = encode(ops, layers, texts.ids, 0);
        long batch = ops.shape(states).size(0);
        T ends = ops.lookup(ops.reshape(states, Shape.of(batch * tokens, width())), texts.ends);
        Layer projection = new Layer("text_projection", Kind.LINEAR, Shape.of(projected, width()), Bias.ABSENT);
        return ops.linear(ops.reshape(ends, Shape.of(batch, width())), layers.get(projection));
    }

    /// Token ids (B, S), and the row of their end-of-text token in (B·S) rows, (B, 1).
    public record Texts<T>(T ids, T ends) {}
}
