package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Attention.Mask;
import atomstudio.diffusion.ops.Conv2d;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;

/// CLIP's vision tower: a transformer over patches of a square picture and one class token, whose state is projected into the space
/// that CLIP shares with texts. Names are the published state-dict keys of CLIPVisionModelWithProjection.
/// Source: Radford et al. 2021, section 2.4; Dosovitskiy et al. 2021, equations 1 to 4, with a norm before the blocks.
/// @param projected numbers of an embedding
public record ClipVision(Patches patches, ClipBlocks blocks, int projected) {
    /// A picture of `side` × `side` pixels and `channels` colours, cut into patches of `size` × `size`.
    public record Patches(int channels, int side, int size) {
        int along() {
            return side / size;
        }

        /// Tokens of a picture, the class token included.
        int tokens() {
            return along() * along() + 1;
        }
    }

    /// Normalised pictures (B, channels, side, side) -> (B, projected).
    public <T> T embed(Ops<T> ops, Layers<T> layers, T pictures) {
        Parts<T> parts = new Parts<>(ops, layers);
        T x = ops.concat(classTokens(ops, layers, ops.shape(pictures).size(0)), patchTokens(ops, layers, pictures), 1);
        T positions = parts.table("vision_model.embeddings.position_embedding", patches.tokens(), width());
        x = ops.add(x, ops.reshape(positions, Shape.of(1, patches.tokens(), width())));
        x = parts.layerNorm("vision_model.pre_layrnorm", x, blocks.epsilon());              // the published key is spelled so
        x = blocks.run(parts, "vision_model.encoder.layers", x, new ClipBlocks.Part(blocks.depth(), Mask.NONE));
        T state = ops.split(x, patches.tokens(), 1).getFirst();
        state = parts.layerNorm("vision_model.post_layernorm", ops.reshape(state, Shape.of(ops.shape(x).size(0), width())), blocks.epsilon());
        return parts.linear("visual_projection", state, projected, Bias.ABSENT);
    }

    /// (B, channels, side, side) -> (B, along², width), row by row.
    private <T> T patchTokens(Ops<T> ops, Layers<T> layers, T pictures) {
        Shape weight = Shape.of(width(), patches.channels, patches.size, patches.size);
        Layer cut = new Layer("vision_model.embeddings.patch_embedding", Kind.CONV, weight, Bias.ABSENT);
        T x = ops.conv2d(pictures, layers.get(cut), Conv2d.strided(patches.size, 0));
        x = ops.reshape(x, Shape.of(ops.shape(x).size(0), width(), patches.tokens() - 1));
        return ops.permute(x, 0, 2, 1);
    }

    /// The class token of each picture: (B, 1, width).
    private <T> T classTokens(Ops<T> ops, Layers<T> layers, long batch) {
        Layer layer = new Layer("vision_model.embeddings.class_embedding", Kind.EMBEDDING, Shape.of(width()), Bias.ABSENT);
        T token = ops.reshape(layers.get(layer).weight(), Shape.of(1, 1, width()));
        T tokens = token;
        for (long i = 1; i < batch; i++) tokens = ops.concat(tokens, token, 0);
        return tokens;
    }

    private int width() {
        return blocks.width();
    }
}
