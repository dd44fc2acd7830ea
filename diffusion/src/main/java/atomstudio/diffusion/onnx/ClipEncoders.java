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

/// CLIP's two towers as a model may bring them: opened when first asked for, since most work needs neither. Owns
/// sessions and maps.
final class ClipEncoders implements AutoCloseable {
    private static final int MAX_SESSIONS = 4;

    /// A network and the shape of its input.
    private record SessionKey(Modality modality, Shape input) {}

    private enum Modality { IMAGE, TEXT }

    private final DiffusionModel model;
    private final OnnxRuntime runtime;
    private final Map<SessionKey, OnnxSession> sessions = new LinkedHashMap<>(8, 0.75f, true);
    private @Nullable Checkpoint imageWeights;
    private @Nullable Checkpoint textWeights;

    ClipEncoders(DiffusionModel model, OnnxRuntime runtime) {
        this.model = model;
        this.runtime = runtime;
    }

    Tensor embedImages(Tensor pixels) throws Failure {
        return session(new SessionKey(Modality.IMAGE, pixels.shape()))
                .run(Map.of("pictures", OnnxSession.Feed.of(pixels)), Map.of());
    }

    Tensor embedText(int[][] ids) throws Failure {
        int[][] ends = textProjection().eosPositions(ids);
        return session(new SessionKey(Modality.TEXT, Shape.of(ids.length, ids[0].length)))
                .run(Map.of("ids", OnnxSession.Feed.ids(ids), "ends", OnnxSession.Feed.ids(ends)), Map.of());
    }

    private OnnxSession session(SessionKey key) throws Failure {
        OnnxSession session = sessions.get(key);
        if (session == null) {
            if (sessions.size() >= MAX_SESSIONS) sessions.remove(sessions.keySet().iterator().next()).close();
            session = switch (key.modality) {
                case IMAGE -> buildImageEncoder(key.input);
                case TEXT -> buildTextEncoder(key.input);
            };
            sessions.put(key, session);
        }
        return session;
    }

    private OnnxSession buildImageEncoder(Shape input) throws Failure {
        ImageEncoder imageEncoder = model.imageEncoder()
                .orElseThrow(() -> new Failure.Incompatible(
                        model.path() + ": has no vision tower (image_encoder or safety_checker)"));
        Checkpoint weights = imageWeights != null ? imageWeights : imageEncoder.openCheckpoint();
        imageWeights = weights;
        Graph graph = new Graph();
        Graph.Value pixelValues = graph.input("pictures", input, Graph.ElementType.FLOAT);
        Graph.Value output = imageEncoder.network()
                .embed(new GraphOps(graph), new GraphWeights(graph, weights), pixelValues);
        return runtime.createSession(graph.model(output), OnnxSession.SessionWeights.of(weights), output.shape());
    }

    private OnnxSession buildTextEncoder(Shape input) throws Failure {
        TextProjection projection = textProjection();
        Checkpoint weights = textWeights != null ? textWeights : model.openCheckpoint(ModelComponent.TEXT_ENCODER);
        textWeights = weights;
        Graph graph = new Graph();
        ClipTextModel.TokenBatch<Graph.Value> tokens = new ClipTextModel.TokenBatch<>(
                graph.input("ids", input, Graph.ElementType.INT64),
                graph.input("ends", Shape.of(input.size(0), 1), Graph.ElementType.INT64));
        Graph.Value output = projection.textEncoder()
                .project(new GraphOps(graph), new GraphWeights(graph, weights), tokens, projection.projectionDim());
        return runtime.createSession(graph.model(output), OnnxSession.SessionWeights.of(weights), output.shape());
    }

    private TextProjection textProjection() throws Failure {
        return model.textProjection()
                .orElseThrow(
                        () -> new Failure.Incompatible(model.path() + ": its text_encoder has no text_projection"));
    }

    @Override
    public void close() {
        sessions.values().forEach(OnnxSession::close);
        sessions.clear();
        if (imageWeights != null) imageWeights.close();
        if (textWeights != null) textWeights.close();
        imageWeights = null;
        textWeights = null;
    }
}
