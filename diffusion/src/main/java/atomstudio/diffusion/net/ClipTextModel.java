package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Ops.AttentionConfig.Mask;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;

/// CLIP's text encoder. Layer names are the state-dict keys of transformers' CLIPTextModel, with their `text_model.`
/// prefix.
/// Source: Radford et al. 2021, section 2.4.
public record ClipTextModel(Component component, int vocabularySize, int maxTokens, ClipTransformer transformer)
        implements Network {
    public int hiddenSize() {
        return transformer.hiddenSize();
    }

    /// Token ids (B, S) -> hidden states (B, S, hiddenSize) of all layers but the last `skippedLayers`, after the final
    /// norm.
    public <T> T encode(Ops<T> ops, WeightSource<T> weights, T ids, int skippedLayers) {
        Modules<T> nn = new Modules<>(component(), ops, weights);
        T x = ops.embedding(nn.embeddingTable("text_model.embeddings.token_embedding", vocabularySize, hiddenSize()),
                ids);
        T positions = nn.embeddingTable("text_model.embeddings.position_embedding", maxTokens, hiddenSize());
        x = ops.add(x, ops.reshape(positions, Shape.of(1, maxTokens, hiddenSize())));
        x = transformer.forward(nn, "text_model.encoder.layers", x,
                new ClipTransformer.ForwardOptions(transformer.depth() - skippedLayers, Mask.CAUSAL));
        return nn.layerNorm("text_model.final_layer_norm", x, transformer.epsilon());
    }

    /// Text embeddings (B, projectionDim): the end-of-text token's hidden state projected into CLIP's joint space of
    /// texts and images.
    public <T> T project(Ops<T> ops, WeightSource<T> weights, TokenBatch<T> batch, int projectionDim) {
        T states = encode(ops, weights, batch.ids, 0);
        long batchSize = ops.shape(states).size(0);
        T endStates = ops.embedding(ops.reshape(states, Shape.of(batchSize * maxTokens, hiddenSize())),
                batch.endPositions);
        Layer projection = new Layer(component(), "text_projection", Kind.LINEAR, Shape.of(projectionDim, hiddenSize()),
                Bias.ABSENT);
        return ops.linear(ops.reshape(endStates, Shape.of(batchSize, hiddenSize())), weights.get(projection));
    }

    /// Token ids (B, S), and the index of each text's end-of-text token in the flattened (B·S) rows, (B, 1).
    public record TokenBatch<T>(T ids, T endPositions) {}
}
