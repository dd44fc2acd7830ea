package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.model.VisionTower;
import atomstudio.diffusion.net.ClipText;
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

    private final ModelFolder model;
    private final Torch torch;
    private @Nullable Opened<VisionTower> vision;
    private @Nullable Opened<TextProjection> text;

    TorchTowers(ModelFolder model, Torch torch) {
        this.model = model;
        this.torch = torch;
    }

    /// What embeds prepared pictures once it is run inside a scope.
    Supplier<NDArray> pictures(Tensor pixels) throws Failure {
        Opened<VisionTower> opened = vision();
        return () -> opened.tower.network().embed(torch.ops(), opened.weights, torch.array(pixels));
    }

    /// What embeds texts once it is run inside a scope.
    Supplier<NDArray> texts(int[][] ids) throws Failure {
        Opened<TextProjection> opened = text();
        int[][] ends = opened.tower.ends(ids);
        return () -> opened.tower.text().project(torch.ops(), opened.weights, new ClipText.Texts<>(torch.array(ids), torch.array(ends)), opened.tower.projected());
    }

    private Opened<VisionTower> vision() throws Failure {
        if (vision != null) return vision;
        VisionTower tower = model.visionTower().orElseThrow(() -> new Failure.Incompatible(model.folder() + ": has no vision tower (image_encoder or safety_checker)"));
        Checkpoint checkpoint = tower.checkpoint();
        return vision = new Opened<>(tower, checkpoint, new TorchWeights(torch, checkpoint));
    }

    private Opened<TextProjection> text() throws Failure {
        if (text != null) return text;
        TextProjection projection = model.textProjection().orElseThrow(() -> new Failure.Incompatible(model.folder() + ": its text_encoder has no text_projection"));
        Checkpoint checkpoint = model.checkpoint(Part.TEXT);
        return text = new Opened<>(projection, checkpoint, new TorchWeights(torch, checkpoint));
    }

    @Override public void close() {
        if (vision != null) vision.close();
        if (text != null) text.close();
        vision = null;
        text = null;
    }
}
