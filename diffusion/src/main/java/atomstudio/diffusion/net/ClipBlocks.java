package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Attention;
import atomstudio.diffusion.ops.Ops;

/// The pre-norm transformer blocks that CLIP's text and vision towers are made of.
/// Source: Radford et al. 2021, section 2.4; Dosovitskiy et al. 2021, equations 2 and 3.
public record ClipBlocks(int width, int hidden, int depth, int heads, Activation activation, double epsilon) {
    public enum Activation { QUICK_GELU, GELU }

    /// x (B,S,width) through the first `count` blocks, whose names are NAME.0, NAME.1, …
    <T> T run(Parts<T> parts, String name, T x, Part part) {
        for (int i = 0; i < part.count; i++) x = block(parts, name + "." + i, x, new Attention(heads, part.mask));
        return x;
    }

    /// How many blocks from the first, and which tokens a token may see.
    record Part(int count, Attention.Mask mask) {}

    private <T> T block(Parts<T> parts, String name, T x, Attention attention) {
        Ops<T> ops = parts.ops();
        T h = parts.layerNorm(name + ".layer_norm1", x, epsilon);
        T q = parts.linear(name + ".self_attn.q_proj", h, width);
        T k = parts.linear(name + ".self_attn.k_proj", h, width);
        T v = parts.linear(name + ".self_attn.v_proj", h, width);
        x = ops.add(x, parts.linear(name + ".self_attn.out_proj", ops.attention(q, k, v, attention), width));
        h = parts.linear(name + ".mlp.fc1", parts.layerNorm(name + ".layer_norm2", x, epsilon), hidden);
        h = switch (activation) {
            case QUICK_GELU -> ops.quickGelu(h);
            case GELU -> ops.gelu(h);
        };
        return ops.add(x, parts.linear(name + ".mlp.fc2", h, width));
    }
}
