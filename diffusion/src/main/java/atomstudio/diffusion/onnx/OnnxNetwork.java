package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.EngineNetwork;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import org.jspecify.annotations.Nullable;

/// A network of a model on ONNX Runtime. Its graph is written when first used, for each input shape. Owns its mapped
/// weights; a subclass closes its sessions first.
abstract class OnnxNetwork implements EngineNetwork {
    static final int MAX_SESSIONS = 3;

    final OnnxModel model;
    private @Nullable Checkpoint checkpoint;

    /// A model that runs on ONNX Runtime with these settings.
    record OnnxModel(DiffusionModel model, OnnxRuntime runtime, OnnxSettings settings) {}

    OnnxNetwork(OnnxModel model, Checkpoint checkpoint) {
        this.model = model;
        this.checkpoint = checkpoint;
    }

    final Checkpoint checkpoint() {
        Checkpoint open = checkpoint;
        if (open == null) throw new IllegalStateException("the engine is closed");
        return open;
    }

    final OnnxSession createSession(OnnxRuntime.Network network) throws Failure {
        return model.runtime.createSession(checkpoint(), model.settings, network);
    }

    @Override
    public final void checkFiles() throws Failure.Unreadable {
        if (checkpoint != null) checkpoint.checkUnchanged();
    }

    @Override
    public void close() {
        if (checkpoint != null) checkpoint.close();
        checkpoint = null;
    }
}
