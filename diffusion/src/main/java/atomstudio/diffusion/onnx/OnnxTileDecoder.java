package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The decoder in parts. One session at a time: tiles of one kind follow each other, and the memory is wanted back.
/// Owns it.
final class OnnxTileDecoder implements AutoCloseable {
    private record TileKey(int level, int norms, Shape input) {}

    private final Vae vae;
    private final OnnxRuntime runtime;
    private @Nullable TileKey key;
    private @Nullable OnnxSession session;

    OnnxTileDecoder(Vae vae, OnnxRuntime runtime) {
        this.vae = vae;
        this.runtime = runtime;
    }

    Tensor decodeHead(Checkpoint weights, Tensor latents, int levels) throws Failure {
        close();
        Graph graph = new Graph();
        OnnxSession.SessionWeights sessionWeights = OnnxSession.SessionWeights.of(weights);
        GraphOps ops = ops(graph, sessionWeights);
        Graph.Value output = vae.decodeHead(ops, new GraphWeights(graph, weights),
                ops.input("latents", latents.shape()), levels);
        try (OnnxSession headSession = runtime.createSession(graph.model(output), sessionWeights, output.shape())) {
            return headSession.run(Map.of("latents", OnnxSession.Feed.of(latents)), Map.of());
        }
    }

    Tensor decodeTile(Checkpoint weights, Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
        TileKey newKey = new TileKey(level, norms.size(), features.shape());
        OnnxSession current = newKey.equals(key) && session != null ? session : build(weights, newKey, norms);
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>(Map.of("features", OnnxSession.Feed.of(features)));
        for (int i = 0; i < norms.size(); i++) {
            feeds.put("scale" + i, OnnxSession.Feed.of(norms.get(i).weight()));
            feeds.put("shift" + i, OnnxSession.Feed.of(Objects.requireNonNull(norms.get(i).bias())));
        }
        return current.run(feeds, Map.of());
    }

    private OnnxSession build(Checkpoint weights, TileKey newKey, List<LayerWeights<Tensor>> norms) throws Failure {
        close();
        Graph graph = new Graph();
        OnnxSession.SessionWeights sessionWeights = OnnxSession.SessionWeights.of(weights);
        GraphOps ops = ops(graph, sessionWeights);
        Graph.Value features = ops.input("features", newKey.input);
        List<LayerWeights<Graph.Value>> normInputs = new ArrayList<>();
        for (int i = 0; i < norms.size(); i++) {
            Shape shape = norms.get(i).weight().shape();
            normInputs.add(new LayerWeights<>(graph.input("scale" + i, shape, Graph.ElementType.FLOAT),
                    graph.input("shift" + i, shape, Graph.ElementType.FLOAT)));
        }
        Graph.Value output = vae.decodeTile(ops, new GraphWeights(graph, weights), features, newKey.level, normInputs);
        OnnxSession built = runtime.createSession(graph.model(output), sessionWeights, output.shape());
        session = built;
        key = newKey;
        return built;
    }

    private GraphOps ops(Graph graph, OnnxSession.SessionWeights sessionWeights) {
        return new GraphOps(graph, GraphOps.GraphOptions.of(runtime.device(), sessionWeights.mode()));
    }

    @Override
    public void close() {
        if (session != null) session.close();
        session = null;
        key = null;
    }
}
