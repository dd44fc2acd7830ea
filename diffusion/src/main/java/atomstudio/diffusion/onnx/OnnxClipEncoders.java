package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ClipEncoders;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// CLIP's image and text encoders, as far as the model has them. Their weights are opened when first used, since most
/// work needs neither. Owns its networks.
final class OnnxClipEncoders implements ClipEncoders {
    private final DiffusionModel model;
    private final OnnxRuntime runtime;
    private final OnnxSettings settings;
    private @Nullable OnnxNetworkFile imageEncoder;
    private @Nullable OnnxNetworkFile textEncoder;

    OnnxClipEncoders(DiffusionModel model, OnnxRuntime runtime, OnnxSettings settings) {
        this.model = model;
        this.runtime = runtime;
        this.settings = settings;
    }

    @Override
    public Tensor embedImages(Tensor pixelValues) throws Failure {
        if (imageEncoder == null) {
            ImageEncoder encoder = model.imageEncoder()
                    .orElseThrow(() -> new Failure.Incompatible(
                            model.path() + ": has no image encoder (image_encoder or safety_checker)"));
            imageEncoder = new OnnxNetworkFile(encoder.file(), runtime, settings,
                    shape -> (ops, weights) -> encoder.network().embed(ops, weights, ops.input("pixels", shape)));
        }
        return imageEncoder.run("pixels", pixelValues);
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        TextProjection projection = model.textProjection()
                .orElseThrow(
                        () -> new Failure.Incompatible(model.path() + ": its text_encoder has no text_projection"));
        if (textEncoder == null)
            textEncoder = new OnnxNetworkFile(model.file(Component.TEXT_ENCODER), runtime, settings,
                    shape -> (ops, weights) -> project(projection, ops, weights, shape));
        return textEncoder.run(Shape.of(ids.length, ids[0].length), Map.of("ids", OnnxSession.Feed.ids(ids),
                "end_positions", OnnxSession.Feed.ids(projection.eosPositions(ids))));
    }

    private static Graph.Value project(TextProjection projection, GraphOps ops, WeightSource<Graph.Value> weights,
            Shape shape) {
        Graph.Value ids = ops.graph().input("ids", shape, ElementType.INT64);
        Graph.Value endPositions = ops.graph().input("end_positions", Shape.of(shape.size(0), 1), ElementType.INT64);
        return projection.textEncoder()
                .project(ops, weights, new ClipTextModel.TokenBatch<>(ids, endPositions), projection.projectionDim());
    }

    @Override
    public void close() {
        if (imageEncoder != null) imageEncoder.close();
        if (textEncoder != null) textEncoder.close();
        imageEncoder = null;
        textEncoder = null;
    }
}
