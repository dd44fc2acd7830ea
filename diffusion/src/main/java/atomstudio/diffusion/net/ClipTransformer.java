package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Ops;

/// The pre-norm transformer encoder of CLIP's text and vision models.
/// Source: Radford et al. 2021, section 2.4; Dosovitskiy et al. 2021, equations 2 and 3.
public record ClipTransformer(int hiddenSize, int intermediateSize, int depth, int heads, Activation activation,
        double epsilon) {
    public enum Activation { QUICK_GELU, GELU }

    /// Runs x (B, S, hiddenSize) through the first layers, named `PREFIX.0`, `PREFIX.1`, …
    <T> T forward(Modules<T> nn, String prefix, T x, ForwardOptions options) {
        for (int i = 0; i < options.layers; i++)
            x = encoderLayer(nn, prefix + "." + i, x, new Ops.AttentionConfig(heads, options.mask));
        return x;
    }

    /// The number of layers to run, and the attention mask.
    record ForwardOptions(int layers, Ops.AttentionConfig.Mask mask) {}

    private <T> T encoderLayer(Modules<T> nn, String name, T x, Ops.AttentionConfig attention) {
        Ops<T> ops = nn.ops();
        T h = nn.layerNorm(name + ".layer_norm1", x, epsilon);
        T q = nn.linear(name + ".self_attn.q_proj", h, hiddenSize);
        T k = nn.linear(name + ".self_attn.k_proj", h, hiddenSize);
        T v = nn.linear(name + ".self_attn.v_proj", h, hiddenSize);
        x = ops.add(x, nn.linear(name + ".self_attn.out_proj", ops.attention(q, k, v, attention), hiddenSize));
        h = nn.linear(name + ".mlp.fc1", nn.layerNorm(name + ".layer_norm2", x, epsilon), intermediateSize);
        h = switch (activation) {
            case QUICK_GELU -> ops.quickGelu(h);
            case GELU -> ops.gelu(h);
        };
        return ops.add(x, nn.linear(name + ".mlp.fc2", h, hiddenSize));
    }
}
