package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// ViT: a transformer over the patches of a square image and a class token, from whose last state the head classifies.
/// Layer names are the state-dict keys of transformers' ViTForImageClassification.
/// Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words", equations 1 to 4.
public record VisionTransformer(int imageChannels, int defaultImageSize, int patchSize, Encoder encoder, int classes)
        implements Classifier {
    /// @param mlpWidth of the linear layer within a block
    public record Encoder(int width, int mlpWidth, int depth, int heads, double epsilon) {}

    private static final String EMBEDDINGS = "vit.embeddings.";

    @Override
    public <T> T logits(Ops<T> ops, WeightSource<T> weights, T pixels) {
        return new Modules<>(Component.CLASSIFIER, ops, weights).linear(head(), features(ops, weights, pixels),
                classes);
    }

    /// Normalized pixels (B, channels, H, W) -> the class token's last state (B, width), the embedding of DINO.
    /// Source: Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers".
    public <T> T features(Ops<T> ops, WeightSource<T> weights, T pixels) {
        Modules<T> nn = new Modules<>(Component.CLASSIFIER, ops, weights);
        long batch = ops.shape(pixels).size(0), width = encoder.width;
        T patches = nn.toTokens(nn.conv(EMBEDDINGS + "patch_embeddings.projection", pixels, width, patchSize,
                Ops.ConvGeometry.strided(patchSize, 0)));
        Shape positions = Shape.of(1, tokens(), width);
        T x = ops.concat(nn.classToken(EMBEDDINGS + "cls_token", Shape.of(1, 1, width), batch), patches, 1);
        x = ops.add(x, weights.get(new Layer(Component.CLASSIFIER, EMBEDDINGS + "position_embeddings",
                Layer.Kind.EMBEDDING, positions, Layer.Bias.ABSENT)).weight());
        for (int i = 0; i < encoder.depth; i++) {
            String name = "vit.encoder.layer." + i;
            x = ops.checkpointed(name, List.of(x), in -> block(nn, name, in.getFirst()));
        }
        T state = ops.reshape(ops.matmul(ops.constant(firstToken(batch)), x), Shape.of(batch, width));
        return nn.layerNorm("vit.layernorm", state, encoder.epsilon);
    }

    private <T> T block(Modules<T> nn, String name, T x) {
        Ops<T> ops = nn.ops();
        String attention = name + ".attention.attention.";
        T h = nn.layerNorm(name + ".layernorm_before", x, encoder.epsilon);
        T q = nn.linear(attention + "query", h, encoder.width), k = nn.linear(attention + "key", h, encoder.width),
                v = nn.linear(attention + "value", h, encoder.width);
        T attended = ops.attention(q, k, v, Ops.AttentionConfig.of(encoder.heads));
        T y = ops.add(x, nn.linear(name + ".attention.output.dense", attended, encoder.width));
        h = nn.layerNorm(name + ".layernorm_after", y, encoder.epsilon);
        h = ops.gelu(nn.linear(name + ".intermediate.dense", h, encoder.mlpWidth));
        return ops.add(y, nn.sublayerOutput(name + ".output.dense", h, encoder.width, y));
    }

    /// The matrices (B, 1, S) whose product with (B, S, C) is the class token's state.
    private Tensor firstToken(long batch) {
        Tensor selection = Tensor.zeros(Shape.of(batch, 1, tokens()));
        for (int i = 0; i < batch; i++) selection.data()[i * tokens()] = 1;
        return selection;
    }

    /// Patches and the class token.
    private int tokens() {
        int perSide = defaultImageSize / patchSize;
        return perSide * perSide + 1;
    }

    @Override
    public VisionTransformer withClasses(int classes) {
        return new VisionTransformer(imageChannels, defaultImageSize, patchSize, encoder, classes);
    }

    @Override
    public String head() {
        return "classifier";
    }

    @Override
    public boolean hasFixedImageSize() {
        return true;
    }
}
