package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Optional;

/// CLIP's text projection, which maps the final hidden state of a text to the joint embedding space of text and
/// images.
/// @param projectionDim dimension of the embeddings
/// @param eosTokenId the end-of-text id
public record TextProjection(ClipTextModel textEncoder, int projectionDim, int eosTokenId) {
    private static final String KEY = "text_projection.weight";
    /// Old configurations have this wrong id; the largest id of the text is the end of text then.
    /// Source: transformers, CLIPTextTransformer.forward.
    private static final int LEGACY_EOS_ID = 2;

    static Optional<TextProjection> of(DiffusionModel model) throws Failure {
        // A single file has no image encoder that would match OpenCLIP's text projection.
        if (model.isSingleFile()) return Optional.empty();
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(Component.TEXT_ENCODER))) {
            if (!checkpoint.has(KEY)) return Optional.empty();
            Shape found = checkpoint.info(KEY).shape();
            int width = model.textEncoder().hiddenSize();
            if (found.rank() != 2 || found.size(1) != width || found.size(0) < 1) {
                throw new Failure.Incompatible(checkpoint.file(KEY) + ": " + KEY
                        + ": expected (embedding dimension," + width + "), found " + found);
            }
            ModelConfig config = ModelConfig
                    .read(model.path().resolve(Component.TEXT_ENCODER.folder()).resolve("config.json"));
            return Optional.of(new TextProjection(model.textEncoder(), Math.toIntExact(found.size(0)),
                    config.integer("eos_token_id", 49407)));
        }
    }

    /// All layers from token ids to the embedding.
    public List<Layer> layers() {
        return LayerRecorder.layers((ops, layers) -> textEncoder.project(ops, layers,
                new ClipTextModel.TokenBatch<>(Shape.of(1, textEncoder.maxTokens()), Shape.of(1, 1)), projectionDim));
    }

    /// The position of the first end-of-text id of each text (B, S), as flat indices (B, 1) into B × S rows.
    /// @throws IllegalArgumentException for a text without an end-of-text id
    public int[][] eosPositions(int[][] ids) {
        int[][] positions = new int[ids.length][1];
        for (int row = 0; row < ids.length; row++) positions[row][0] = row * ids[row].length + eosPosition(ids[row]);
        return positions;
    }

    private int eosPosition(int[] ids) {
        int largestAt = 0;
        for (int i = 0; i < ids.length; i++) {
            if (eosTokenId != LEGACY_EOS_ID && ids[i] == eosTokenId) return i;
            if (ids[i] > ids[largestAt]) largestAt = i;
        }
        if (eosTokenId != LEGACY_EOS_ID)
            throw new IllegalArgumentException(
                    "token ids: expected an end-of-text id " + eosTokenId + ", found none");
        return largestAt;
    }
}
