package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.AttentionConfig.Mask;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;

/// CLIP's vision model: a transformer over the patches of a square image and a class token, whose hidden state is
/// projected into CLIP's joint space of texts and images. Layer names are the state-dict keys of transformers'
/// CLIPVisionModelWithProjection.
/// Source: Radford et al. 2021, section 2.4; Dosovitskiy et al. 2021, equations 1 to 4, with a norm before the layers.
/// @param projectionDim size of an embedding
public record ClipVisionModel(Patches patches, ClipTransformer transformer, int projectionDim) implements Network {
    /// Images of (channels, imageSize, imageSize), split into patches of patchSize × patchSize.
    public record Patches(int channels, int imageSize, int patchSize) {
        int perSide() {
            return imageSize / patchSize;
        }

        /// Tokens of an image, including the class token.
        int tokens() {
            return perSide() * perSide() + 1;
        }
    }

    /// Normalized pixel values (B, channels, imageSize, imageSize) -> embeddings (B, projectionDim).
    public <T> T embed(Ops<T> ops, WeightSource<T> weights, T pixelValues) {
        Modules<T> nn = new Modules<>(component(), ops, weights);
        T classTokens = nn.classToken("vision_model.embeddings.class_embedding", Shape.of(hiddenSize()),
                ops.shape(pixelValues).size(0));
        T x = ops.concat(classTokens, patchTokens(ops, weights, pixelValues), 1);
        T positions = nn.embeddingTable("vision_model.embeddings.position_embedding", patches.tokens(), hiddenSize());
        x = ops.add(x, ops.reshape(positions, Shape.of(1, patches.tokens(), hiddenSize())));
        x = nn.layerNorm("vision_model.pre_layrnorm", x, transformer.epsilon()); // transformers' spelling
        x = transformer.forward(nn, "vision_model.encoder.layers", x,
                new ClipTransformer.ForwardOptions(transformer.depth(), Mask.NONE));
        T state = ops.split(x, patches.tokens(), 1).getFirst();
        state = nn.layerNorm("vision_model.post_layernorm",
                ops.reshape(state, Shape.of(ops.shape(x).size(0), hiddenSize())), transformer.epsilon());
        return nn.linear("visual_projection", state, projectionDim, Bias.ABSENT);
    }

    /// (B, channels, imageSize, imageSize) -> (B, patches, hiddenSize), row-major.
    private <T> T patchTokens(Ops<T> ops, WeightSource<T> weights, T pixelValues) {
        Shape weight = Shape.of(hiddenSize(), patches.channels, patches.patchSize, patches.patchSize);
        Layer patchEmbedding = new Layer(component(), "vision_model.embeddings.patch_embedding", Kind.CONV, weight,
                Bias.ABSENT);
        T x = ops.conv2d(pixelValues, weights.get(patchEmbedding), Ops.ConvGeometry.strided(patches.patchSize, 0));
        x = ops.reshape(x, Shape.of(ops.shape(x).size(0), hiddenSize(), patches.tokens() - 1));
        return ops.permute(x, 0, 2, 1);
    }

    private int hiddenSize() {
        return transformer.hiddenSize();
    }
}
