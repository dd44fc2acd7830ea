package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipText;
import atomstudio.diffusion.ops.DryRun;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.Optional;

/// The projection of a text's end into the space that CLIP shares with pictures, where a text encoder brings it along.
/// @param projected numbers of an embedding
/// @param endOfText the id that ends a text
public record TextProjection(ClipText text, int projected, int endOfText) {
    private static final String KEY = "text_projection.weight";
    /// Configurations that give this id, which was never right, mean the largest id of the text.
    /// Source: transformers, CLIPTextTransformer.forward.
    private static final int LEGACY = 2;

    static Optional<TextProjection> of(ModelFolder model) throws Failure {
        if (model.inOneFile()) return Optional.empty();                          // OpenCLIP keeps its own, which no encoder of pictures in the file matches
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(Part.TEXT))) {
            if (!checkpoint.has(KEY)) return Optional.empty();
            Shape found = checkpoint.info(KEY).shape();
            int width = model.text().width();
            if (found.rank() != 2 || found.size(1) != width || found.size(0) < 1) {
                throw new Failure.Incompatible(checkpoint.file(KEY) + ": " + KEY + ": expected (numbers of an embedding," + width + "), found " + found);
            }
            Config config = Config.read(model.folder().resolve(Part.TEXT.folder()).resolve("config.json"));
            return Optional.of(new TextProjection(model.text(), Math.toIntExact(found.size(0)), config.whole("eos_token_id", 49407)));
        }
    }

    /// Every layer from ids to embedding.
    public List<Layer> layers() {
        return DryRun.layers((ops, layers) -> text.project(ops, layers, new ClipText.Texts<>(Shape.of(1, text.tokens()), Shape.of(1, 1)), projected));
    }

    /// Where each of the texts (B,S) ends, (B,1), counted over the rows of all: the first end-of-text id.
    /// @throws IllegalArgumentException for a text without one
    public int[][] ends(int[][] ids) {
        int[][] ends = new int[ids.length][1];
        for (int text = 0; text < ids.length; text++) ends[text][0] = text * ids[text].length + end(ids[text]);
        return ends;
    }

    private int end(int[] ids) {
        int largest = 0;
        for (int i = 0; i < ids.length; i++) {
            if (endOfText != LEGACY && ids[i] == endOfText) return i;
            if (ids[i] > ids[largest]) largest = i;
        }
        if (endOfText != LEGACY) throw new IllegalArgumentException("token ids: expected " + endOfText + " (end of text) among them, found none");
        return largest;
    }
}
