package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.tensor.Tensor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// CLIP's two towers as a model may bring them: opened when first asked for, since most work needs neither. Owns arrays and maps.
final class TorchTowers implements AutoCloseable {
    /// A tower with its weights.
    private record Opened<T>(T tower, Checkpoint checkpoint, TorchWeights weights) {
        void close() {
            weights.close();
            checkpoint.close();
        }
    }

    private final DiffusionModel model;
    private final Torch torch;
    private @Nullable Opened<ImageEncoder> vision;
    private @Nullable Opened<TextProjection> text;

    TorchTowers(DiffusionModel model, Torch torch) {
        this.model = model;
        this.torch = torch;
    }

    /// What embeds prepared pictures once it is run inside a scope.
    Supplier<NDArray> pictures(Tensor pixels) throws Failure {
        Opened<ImageEncoder> opened = vision();
        return () -> opened.tower.network().embed(torch.ops(), opened.weights, torch.array(pixels));
    }

    /// What embeds texts once it is run inside a scope.
    Supplier<NDArray> texts(int[][] ids) throws Failure {
        Opened<TextProjection> opened = text();
        int[][] ends = opened.tower.eosPositions(ids);
        return () -> opened.tower.textEncoder().project(torch.ops(), opened.weights, new ClipTextModel.TokenBatch<>(torch.array(ids), torch.array(ends)), opened.tower.projectionDim());
    }

    private Opened<ImageEncoder> vision() throws Failure {
        if (vision != null) return vision;
        ImageEncoder tower = model.imageEncoder().orElseThrow(() -> new Failure.Incompatible(model.path() + ": has no vision tower (image_encoder or safety_checker)"));
        Checkpoint checkpoint = tower.openCheckpoint();
        return vision = new Opened<>(tower, checkpoint, new TorchWeights(torch, checkpoint));
    }

    private Opened<TextProjection> text() throws Failure {
        if (text != null) return text;
        TextProjection projection = model.textProjection().orElseThrow(() -> new Failure.Incompatible(model.path() + ": its text_encoder has no text_projection"));
        Checkpoint checkpoint = model.openCheckpoint(ModelComponent.TEXT_ENCODER);
        return text = new Opened<>(projection, checkpoint, new TorchWeights(torch, checkpoint));
    }

    @Override public void close() {
        if (vision != null) vision.close();
        if (text != null) text.close();
        vision = null;
        text = null;
    }
}
