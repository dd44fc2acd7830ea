package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipEncoders;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// CLIP's image and text encoders, as far as the model has them. Their weights are opened when first used, since most
/// work needs neither. Owns sessions and mapped weights.
final class OnnxClipEncoders implements ClipEncoders {
    private static final int MAX_SESSIONS = 2;

    private final DiffusionModel model;
    private final OnnxRuntime runtime;
    private final OnnxSettings settings;
    private final SessionCache<Shape> imageSessions = new SessionCache<>(MAX_SESSIONS, this::buildImageEncoder);
    private final SessionCache<Shape> textSessions = new SessionCache<>(MAX_SESSIONS, this::buildTextEncoder);
    private @Nullable Checkpoint imageWeights;
    private @Nullable Checkpoint textWeights;

    OnnxClipEncoders(DiffusionModel model, OnnxRuntime runtime, OnnxSettings settings) {
        this.model = model;
        this.runtime = runtime;
        this.settings = settings;
    }

    @Override
    public Tensor embedImages(Tensor pixelValues) throws Failure {
        OnnxSession session = imageSessions.get(pixelValues.shape());
        return session.run(Map.of("pixel_values", OnnxSession.Feed.of(pixelValues)), Map.of());
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        int[][] endPositions = textProjection().eosPositions(ids);
        OnnxSession session = textSessions.get(Shape.of(ids.length, ids[0].length));
        return session.run(Map.of("ids", OnnxSession.Feed.ids(ids), "end_positions",
                OnnxSession.Feed.ids(endPositions)), Map.of());
    }

    private OnnxSession buildImageEncoder(Shape pixelValues) throws Failure {
        ImageEncoder encoder = model.imageEncoder()
                .orElseThrow(() -> new Failure.Incompatible(
                        model.path() + ": has no image encoder (image_encoder or safety_checker)"));
        Checkpoint checkpoint = imageWeights != null ? imageWeights : encoder.openCheckpoint();
        imageWeights = checkpoint;
        return runtime.createSession(checkpoint, settings,
                (ops, weights) -> encoder.network().embed(ops, weights, ops.input("pixel_values", pixelValues)));
    }

    private OnnxSession buildTextEncoder(Shape shape) throws Failure {
        TextProjection projection = textProjection();
        Checkpoint checkpoint = textWeights != null ? textWeights : model.openCheckpoint(ModelComponent.TEXT_ENCODER);
        textWeights = checkpoint;
        return runtime.createSession(checkpoint, settings, (ops, weights) -> {
            Graph.Value ids = ops.graph().input("ids", shape, ElementType.INT64);
            Graph.Value endPositions = ops.graph()
                    .input("end_positions", Shape.of(shape.size(0), 1), ElementType.INT64);
            return projection.textEncoder()
                    .project(ops, weights, new ClipTextModel.TokenBatch<>(ids, endPositions),
                            projection.projectionDim());
        });
    }

    private TextProjection textProjection() throws Failure {
        return model.textProjection()
                .orElseThrow(() -> new Failure.Incompatible(
                        model.path() + ": its text_encoder has no text_projection"));
    }

    @Override
    public void close() {
        imageSessions.close();
        textSessions.close();
        if (imageWeights != null) imageWeights.close();
        if (textWeights != null) textWeights.close();
        imageWeights = null;
        textWeights = null;
    }
}
