package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Tiled decoding: [Vae#decodeHead] and [Vae#decodeTile]. Keeps one session, since tiles of one shape follow each other
/// and sessions hold their memory. Owns it.
final class OnnxTileDecoder implements AutoCloseable {
    /// @param norms shapes of the scale and shift of each norm
    private record TileKey(Checkpoint checkpoint, int level, List<Shape> norms, Shape features) {}

    private final Vae vae;
    private final OnnxRuntime runtime;
    private final OnnxSettings settings;
    private final SessionCache<TileKey> sessions = new SessionCache<>(1, this::buildTile);

    OnnxTileDecoder(Vae vae, OnnxRuntime runtime, OnnxSettings settings) {
        this.vae = vae;
        this.runtime = runtime;
        this.settings = settings;
    }

    Tensor decodeHead(Checkpoint checkpoint, Tensor latents, int levels) throws Failure {
        close();
        try (OnnxSession session = runtime.createSession(checkpoint, settings,
                (ops, weights) -> vae.decodeHead(ops, weights, ops.input("latents", latents.shape()), levels))) {
            return session.run(Map.of("latents", OnnxSession.Feed.of(latents)), Map.of());
        }
    }

    Tensor decodeTile(Checkpoint checkpoint, Tensor features, int level, List<LayerWeights<Tensor>> norms)
            throws Failure {
        List<Shape> normShapes = norms.stream().map(norm -> norm.weight().shape()).toList();
        OnnxSession session = sessions.get(new TileKey(checkpoint, level, normShapes, features.shape()));
        Map<String, OnnxSession.Feed> feeds = new LinkedHashMap<>(Map.of("features", OnnxSession.Feed.of(features)));
        for (int i = 0; i < norms.size(); i++) {
            feeds.put("scale" + i, OnnxSession.Feed.of(norms.get(i).weight()));
            feeds.put("shift" + i, OnnxSession.Feed.of(Objects.requireNonNull(norms.get(i).bias())));
        }
        return session.run(feeds, Map.of());
    }

    private OnnxSession buildTile(TileKey key) throws Failure {
        return runtime.createSession(key.checkpoint, settings, (ops, weights) -> {
            Graph.Value features = ops.input("features", key.features);
            List<LayerWeights<Graph.Value>> norms = new ArrayList<>();
            for (int i = 0; i < key.norms.size(); i++)
                norms.add(new LayerWeights<>(ops.graph().input("scale" + i, key.norms.get(i), ElementType.FLOAT),
                        ops.graph().input("shift" + i, key.norms.get(i), ElementType.FLOAT)));
            return vae.decodeTile(ops, weights, features, key.level, norms);
        });
    }

    @Override
    public void close() {
        sessions.close();
    }
}
