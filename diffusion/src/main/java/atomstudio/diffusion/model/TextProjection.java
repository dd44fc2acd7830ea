package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Optional;

/// The projection of a text's end into the space that CLIP shares with pictures, where a text encoder brings it along.
/// @param projectionDim numbers of an embedding
/// @param eosTokenId the id that ends a text
public record TextProjection(ClipTextModel textEncoder, int projectionDim, int eosTokenId) {
    private static final String KEY = "text_projection.weight";
    /// Configurations that give this id, which was never right, mean the largest id of the text.
    /// Source: transformers, CLIPTextTransformer.forward.
    private static final int LEGACY_EOS_ID = 2;

    static Optional<TextProjection> of(DiffusionModel model) throws Failure {
        if (model.isSingleFile()) return Optional.empty(); // OpenCLIP keeps its own, which no encoder of pictures in the file matches
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(ModelComponent.TEXT_ENCODER))) {
            if (!checkpoint.has(KEY)) return Optional.empty();
            Shape found = checkpoint.info(KEY).shape();
            int width = model.textEncoder().hiddenSize();
            if (found.rank() != 2 || found.size(1) != width || found.size(0) < 1) {
                throw new Failure.Incompatible(checkpoint.file(KEY) + ": " + KEY
                        + ": expected (numbers of an embedding," + width + "), found " + found);
            }
            ModelConfig config = ModelConfig
                    .read(model.path().resolve(ModelComponent.TEXT_ENCODER.folder()).resolve("config.json"));
            return Optional.of(new TextProjection(model.textEncoder(), Math.toIntExact(found.size(0)),
                    config.integer("eos_token_id", 49407)));
        }
    }

    /// Every layer from ids to embedding.
    public List<Layer> layers() {
        return LayerRecorder.layers((ops, layers) -> textEncoder.project(ops, layers,
                new ClipTextModel.TokenBatch<>(Shape.of(1, textEncoder.maxTokens()), Shape.of(1, 1)), projectionDim));
    }

    /// Where each of the texts (B,S) ends, (B,1), counted over the rows of all: the first end-of-text id.
    /// @throws IllegalArgumentException for a text without one
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
                    "token ids: expected " + eosTokenId + " (end of text) among them, found none");
        return largestAt;
    }
}
