package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// CLIP's two towers as a model may bring them: opened when first asked for, since most work needs neither. Owns sessions and maps.
final class OnnxTowers implements AutoCloseable {
    private static final int KEPT = 4;

    /// A network and the shape of its input.
    private record Key(Tower tower, Shape input) {}

    private enum Tower { PICTURES, TEXTS }

    private final DiffusionModel model;
    private final Runtime runtime;
    private final Map<Key, Session> sessions = new LinkedHashMap<>(8, 0.75f, true);
    private @Nullable Checkpoint visionWeights;
    private @Nullable Checkpoint textWeights;

    OnnxTowers(DiffusionModel model, Runtime runtime) {
        this.model = model;
        this.runtime = runtime;
    }

    Tensor pictures(Tensor pixels) throws Failure {
        return session(new Key(Tower.PICTURES, pixels.shape())).run(Map.of("pictures", Feed.of(pixels)), Map.of());
    }

    Tensor texts(int[][] ids) throws Failure {
        int[][] ends = textProjection().eosPositions(ids);
        return session(new Key(Tower.TEXTS, Shape.of(ids.length, ids[0].length))).run(Map.of("ids", Feed.ids(ids), "ends", Feed.ids(ends)), Map.of());
    }

    private Session session(Key key) throws Failure {
        Session session = sessions.get(key);
        if (session == null) {
            if (sessions.size() >= KEPT) sessions.remove(sessions.keySet().iterator().next()).close();
            session = switch (key.tower) {
                case PICTURES -> vision(key.input);
                case TEXTS -> text(key.input);
            };
            sessions.put(key, session);
        }
        return session;
    }

    private Session vision(Shape input) throws Failure {
        ImageEncoder tower = model.imageEncoder().orElseThrow(() -> new Failure.Incompatible(model.path() + ": has no vision tower (image_encoder or safety_checker)"));
        Checkpoint weights = visionWeights != null ? visionWeights : tower.openCheckpoint();
        visionWeights = weights;
        Graph graph = new Graph();
        Value pictures = graph.input("pictures", input, Graph.Element.FLOAT);
        Value output = tower.network().embed(new GraphOps(graph), new GraphWeights(graph, weights), pictures);
        return runtime.session(graph.model(output), Session.Weights.of(weights), output.shape());
    }

    private Session text(Shape input) throws Failure {
        TextProjection projection = textProjection();
        Checkpoint weights = textWeights != null ? textWeights : model.openCheckpoint(ModelComponent.TEXT_ENCODER);
        textWeights = weights;
        Graph graph = new Graph();
        ClipTextModel.TokenBatch<Value> texts = new ClipTextModel.TokenBatch<>(graph.input("ids", input, Graph.Element.INT64), graph.input("ends", Shape.of(input.size(0), 1), Graph.Element.INT64));
        Value output = projection.textEncoder().project(new GraphOps(graph), new GraphWeights(graph, weights), texts, projection.projectionDim());
        return runtime.session(graph.model(output), Session.Weights.of(weights), output.shape());
    }

    private TextProjection textProjection() throws Failure {
        return model.textProjection().orElseThrow(() -> new Failure.Incompatible(model.path() + ": its text_encoder has no text_projection"));
    }

    @Override public void close() {
        sessions.values().forEach(Session::close);
        sessions.clear();
        if (visionWeights != null) visionWeights.close();
        if (textWeights != null) textWeights.close();
        visionWeights = null;
        textWeights = null;
    }
}
