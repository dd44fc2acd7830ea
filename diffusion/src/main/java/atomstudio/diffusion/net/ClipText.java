package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;

/// CLIP's text encoder. Names are the published state-dict keys of CLIPTextModel, with their `text_model.` prefix.
/// Source: Radford et al. 2021, section 2.4.
public record ClipText(int vocabulary, int tokens, int width, int hidden, int depth, int heads, Activation activation, double epsilon) {
    public enum Activation { QUICK_GELU, GELU }

    /// Token ids (B, tokens) -> (B, tokens, width): the hidden state after all blocks but the last `skipped`, then the final norm.
    public <T> T encode(Ops<T> ops, Layers<T> layers, T ids, int skipped) {
        Parts<T> parts = new Parts<>(ops, layers);
        T x = ops.lookup(table(layers, "text_model.embeddings.token_embedding", vocabulary), ids);
        T positions = table(layers, "text_model.embeddings.position_embedding", tokens);
        x = ops.add(x, ops.reshape(positions, Shape.of(1, tokens, width)));
        for (int i = 0; i < depth - skipped; i++) x = block(parts, "text_model.encoder.layers." + i, x);
        return parts.layerNorm("text_model.final_layer_norm", x, epsilon);
    }

    private <T> T table(Layers<T> layers, String name, int rows) {
        return layers.get(new Layer(name, Kind.EMBEDDING, Shape.of(rows, width), Bias.ABSENT)).weight();
    }

    private <T> T block(Parts<T> parts, String name, T x) {
        Ops<T> ops = parts.ops();
        T h = parts.layerNorm(name + ".layer_norm1", x, epsilon);
        T q = parts.linear(name + ".self_attn.q_proj", h, width);
        T k = parts.linear(name + ".self_attn.k_proj", h, width);
        T v = parts.linear(name + ".self_attn.v_proj", h, width);
        h = ops.attention(q, k, v, new Attention(heads, Attention.Mask.CAUSAL));
        x = ops.add(x, parts.linear(name + ".self_attn.out_proj", h, width));
        h = parts.linear(name + ".mlp.fc1", parts.layerNorm(name + ".layer_norm2", x, epsilon), hidden);
        h = switch (activation) {
            case QUICK_GELU -> ops.quickGelu(h);
            case GELU -> ops.gelu(h);
        };
        return ops.add(x, parts.linear(name + ".mlp.fc2", h, width));
    }
}
