package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.EngineNetwork;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import org.jspecify.annotations.Nullable;

/// A network of a model on ONNX Runtime. Its graph is written when first used, for each input shape. Owns its mapped
/// weights and its sessions.
abstract class OnnxNetwork implements EngineNetwork {
    static final int MAX_SESSIONS = 3;

    private OnnxModel model;
    private @Nullable Checkpoint checkpoint;

    /// A model that runs on ONNX Runtime with these settings.
    record OnnxModel(DiffusionModel model, OnnxRuntime runtime, OnnxSettings settings) {
        OnnxModel withRuntime(OnnxRuntime other) {
            return new OnnxModel(model, other, settings);
        }
    }

    OnnxNetwork(OnnxModel model, Checkpoint checkpoint) {
        this.model = model;
        this.checkpoint = checkpoint;
    }

    final OnnxModel model() {
        return model;
    }

    final OnnxRuntime runtime() {
        return model.runtime;
    }

    final Checkpoint checkpoint() {
        Checkpoint open = checkpoint;
        if (open == null) throw new IllegalStateException("the engine is closed");
        return open;
    }

    final OnnxSession createSession(OnnxRuntime.Network network) throws Failure {
        return model.runtime.createSession(checkpoint(), model.settings, network);
    }

    /// Closes all sessions; later runs create new ones.
    abstract void closeSessions();

    /// Continues on another runtime.
    final void moveTo(OnnxRuntime runtime) {
        closeSessions();
        model = model.withRuntime(runtime);
    }

    @Override
    public final void checkFiles() throws Failure.Unreadable {
        if (checkpoint != null) checkpoint.checkUnchanged();
    }

    @Override
    public void close() {
        closeSessions();
        if (checkpoint != null) checkpoint.close();
        checkpoint = null;
    }
}
