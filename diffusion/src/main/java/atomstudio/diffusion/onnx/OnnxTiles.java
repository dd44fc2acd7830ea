package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The decoder in parts. One session at a time: tiles of one kind follow each other, and the memory is wanted back. Owns it.
final class OnnxTiles implements AutoCloseable {
    private record Key(int level, int norms, Shape input) {}

    private final Vae vae;
    private final Runtime runtime;
    private @Nullable Key key;
    private @Nullable Session session;

    OnnxTiles(Vae vae, Runtime runtime) {
        this.vae = vae;
        this.runtime = runtime;
    }

    Tensor head(Checkpoint weights, Tensor latents, int levels) throws Failure {
        close();
        Graph graph = new Graph();
        Session.Weights stored = Session.Weights.of(weights);
        GraphOps ops = ops(graph, stored);
        Value output = vae.decodeHead(ops, new GraphWeights(graph, weights), ops.entering("latents", latents.shape()), levels);
        try (Session once = runtime.session(graph.model(output), stored, output.shape())) {
            return once.run(Map.of("latents", Feed.of(latents)), Map.of());
        }
    }

    Tensor tile(Checkpoint weights, Tensor features, int level, List<Affine<Tensor>> norms) throws Failure {
        Key wanted = new Key(level, norms.size(), features.shape());
        Session ready = wanted.equals(key) && session != null ? session : build(weights, wanted, norms);
        Map<String, Feed> feeds = new LinkedHashMap<>(Map.of("features", Feed.of(features)));
        for (int i = 0; i < norms.size(); i++) {
            feeds.put("scale" + i, Feed.of(norms.get(i).weight()));
            feeds.put("shift" + i, Feed.of(Objects.requireNonNull(norms.get(i).bias())));
        }
        return ready.run(feeds, Map.of());
    }

    private Session build(Checkpoint weights, Key wanted, List<Affine<Tensor>> norms) throws Failure {
        close();
        Graph graph = new Graph();
        Session.Weights stored = Session.Weights.of(weights);
        GraphOps ops = ops(graph, stored);
        Value features = ops.entering("features", wanted.input);
        List<Affine<Value>> known = new ArrayList<>();
        for (int i = 0; i < norms.size(); i++) {
            Shape shape = norms.get(i).weight().shape();
            known.add(new Affine<>(graph.input("scale" + i, shape, Graph.Element.FLOAT), graph.input("shift" + i, shape, Graph.Element.FLOAT)));
        }
        Value output = vae.decodeTile(ops, new GraphWeights(graph, weights), features, wanted.level, known);
        Session built = runtime.session(graph.model(output), stored, output.shape());
        session = built;
        key = wanted;
        return built;
    }

    private GraphOps ops(Graph graph, Session.Weights stored) {
        return new GraphOps(graph, GraphOps.Choice.of(runtime.device(), stored.use()));
    }

    @Override public void close() {
        if (session != null) session.close();
        session = null;
        key = null;
    }
}
