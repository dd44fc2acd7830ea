package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.AttentionConfig.Mask;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;

/// CLIP's text encoder. Names are the published state-dict keys of CLIPTextModel, with their `text_model.` prefix.
/// Source: Radford et al. 2021, section 2.4.
public record ClipTextModel(int vocabularySize, int maxTokens, ClipTransformer transformer) {
    /// Numbers of a token's state.
    public int hiddenSize() {
        return transformer.hiddenSize();
    }

    /// Token ids (B, tokens) -> (B, tokens, width): the hidden state after all blocks but the last `skipped`, then
    /// the final norm.
    public <T> T encode(Ops<T> ops, WeightSource<T> weights, T ids, int skippedLayers) {
        Modules<T> nn = new Modules<>(ops, weights);
        T x = ops.embedding(nn.embeddingTable("text_model.embeddings.token_embedding", vocabularySize, hiddenSize()),
                ids);
        T positions = nn.embeddingTable("text_model.embeddings.position_embedding", maxTokens, hiddenSize());
        x = ops.add(x, ops.reshape(positions, Shape.of(1, maxTokens, hiddenSize())));
        x = transformer.forward(nn, "text_model.encoder.layers", x,
                new ClipTransformer.ForwardOptions(transformer.depth() - skippedLayers, Mask.CAUSAL));
        return nn.layerNorm("text_model.final_layer_norm", x, transformer.epsilon());
    }

    /// Token ids (B, tokens) and where each text ends, `ends` (B, 1) counted over all rows -> (B, projected): the
    /// end-of-text token's state in the space that CLIP shares with pictures.
    public <T> T project(Ops<T> ops, WeightSource<T> weights, TokenBatch<T> batch, int projectionDim) {
        T states = encode(ops, weights, batch.ids, 0);
        long batchSize = ops.shape(states).size(0);
        T endStates = ops.embedding(ops.reshape(states, Shape.of(batchSize * maxTokens, hiddenSize())),
                batch.endPositions);
        Layer projection = new Layer("text_projection", Kind.LINEAR, Shape.of(projectionDim, hiddenSize()),
                Bias.ABSENT);
        return ops.linear(ops.reshape(endStates, Shape.of(batchSize, hiddenSize())), weights.get(projection));
    }

    /// Token ids (B, S), and the row of their end-of-text token in (B·S) rows, (B, 1).
    public record TokenBatch<T>(T ids, T endPositions) {}
}
