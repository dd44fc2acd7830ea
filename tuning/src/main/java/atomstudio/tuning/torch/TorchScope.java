package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.jni.JniUtils;

/// Arrays made on this thread since it was opened; closing frees them and switches recording back. Recording and
/// TorchScript's optimizer are switches of the thread, and a fresh thread records: hence set here, every time.
public final class TorchScope implements AutoCloseable {
    private final boolean previousMode;
    private final NDScope scope;

    TorchScope(GradMode gradMode) {
        previousMode = JniUtils.isGradMode();
        JniUtils.setGradMode(gradMode == GradMode.ON);
        JniUtils.setGraphExecutorOptimize(false);
        scope = new NDScope();
    }

    /// Keeps an array past this scope; it is then freed with the `Torch` it came from, or when closed.
    public NDArray keep(NDArray array) {
        NDScope.unregister(array);
        return array;
    }

    @Override
    public void close() {
        scope.close();
        JniUtils.setGradMode(previousMode);
    }
}
