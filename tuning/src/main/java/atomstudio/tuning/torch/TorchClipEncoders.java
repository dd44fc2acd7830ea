package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipEncoders;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// A model's CLIP image and text encoder on PyTorch, loaded on first use. Closing it closes the whole engine.
final class TorchClipEncoders implements ClipEncoders {
    private record LoadedEncoder<T>(T encoder, Checkpoint checkpoint, TorchWeights weights) {
        void close() {
            weights.close();
            checkpoint.close();
        }
    }

    private final TorchEngine engine;
    private final DiffusionModel model;
    private final Torch torch;
    private @Nullable LoadedEncoder<ImageEncoder> imageEncoder;
    private @Nullable LoadedEncoder<TextProjection> textProjection;

    TorchClipEncoders(TorchEngine engine) {
        this.engine = engine;
        this.model = engine.model();
        this.torch = engine.torch();
    }

    @Override
    public Tensor embedImages(Tensor pixels) throws Failure {
        LoadedEncoder<ImageEncoder> loaded = imageEncoder();
        return engine.run("image encoder",
                () -> loaded.encoder.network().embed(torch.ops(), loaded.weights, torch.array(pixels)));
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        LoadedEncoder<TextProjection> loaded = textProjection();
        int[][] eosPositions = loaded.encoder.eosPositions(ids);
        return engine.run("text encoder", () -> loaded.encoder.textEncoder()
                .project(torch.ops(), loaded.weights,
                        new ClipTextModel.TokenBatch<>(torch.array(ids), torch.array(eosPositions)),
                        loaded.encoder.projectionDim()));
    }

    private LoadedEncoder<ImageEncoder> imageEncoder() throws Failure {
        if (this.imageEncoder != null) return this.imageEncoder;
        ImageEncoder imageEncoder = model.imageEncoder()
                .orElseThrow(() -> new Failure.Incompatible(
                        model.path() + ": has no image encoder (image_encoder or safety_checker)"));
        Checkpoint checkpoint = imageEncoder.file().open();
        return this.imageEncoder = new LoadedEncoder<>(imageEncoder, checkpoint, new TorchWeights(torch, checkpoint));
    }

    private LoadedEncoder<TextProjection> textProjection() throws Failure {
        if (textProjection != null) return textProjection;
        TextProjection projection = model.textProjection()
                .orElseThrow(
                        () -> new Failure.Incompatible(model.path() + ": its text_encoder has no text_projection"));
        Checkpoint checkpoint = model.openCheckpoint(Component.TEXT_ENCODER);
        return textProjection = new LoadedEncoder<>(projection, checkpoint, new TorchWeights(torch, checkpoint));
    }

    @Override
    public void close() {
        engine.close();
    }

    /// Frees arrays and mapped files.
    void release() {
        if (imageEncoder != null) imageEncoder.close();
        if (textProjection != null) textProjection.close();
        imageEncoder = null;
        textProjection = null;
    }
}
