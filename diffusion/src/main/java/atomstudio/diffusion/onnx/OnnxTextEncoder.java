package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.TextEncoder;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.onnx.Graph.ElementType;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Map;

/// The text encoder on ONNX Runtime. Adapter parameters are graph inputs. It runs once per prompt, so it stays on the
/// CPU if the device is one of an execution provider (docs/decisions/providers.md).
final class OnnxTextEncoder extends OnnxNetwork implements TextEncoder {
    /// @param skippedLayers layers omitted at the end of the text encoder (clip skip − 1)
    /// @param adaptations of the adapters whose parameters are inputs
    private record TextKey(Shape ids, int skippedLayers, List<Adaptation> adaptations) {}

    private final AdapterTargets targets;
    private final SessionCache<TextKey> sessions = new SessionCache<>(MAX_SESSIONS, this::build);
    private final AdapterInputs adapterInputs = new AdapterInputs();

    OnnxTextEncoder(OnnxModel model, Checkpoint checkpoint) {
        super(model.withRuntime(model.runtime().withoutProvider()), checkpoint);
        this.targets = AdapterTargets.of(model.model());
    }

    @Override
    public Tensor encode(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        List<WeightedAdapter> used = targets.targetingTextEncoder(adapters);
        Shape shape = Shape.of(ids.length, ids[0].length);
        OnnxSession session = sessions.get(new TextKey(shape, clipSkip - 1, AdapterInputs.adaptations(used)));
        Map<String, OnnxSession.Feed> feeds = AdapterInputs.weightFeeds(used);
        feeds.put("ids", OnnxSession.Feed.ids(ids));
        return session.run(feeds, adapterInputs.persistentInputs(runtime(), used, session.inputs()));
    }

    private OnnxSession build(TextKey key) throws Failure {
        return createSession((ops, weights) -> {
            Graph.Value ids = ops.graph().input("ids", key.ids, ElementType.INT64);
            return model().model()
                    .textEncoder()
                    .encode(ops, AdapterInputs.adapted(ops, weights, key.adaptations), ids, key.skippedLayers);
        });
    }

    @Override
    void closeSessions() {
        sessions.close();
        adapterInputs.close();
    }
}
