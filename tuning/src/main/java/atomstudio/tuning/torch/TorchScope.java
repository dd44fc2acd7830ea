package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.jni.JniUtils;

/// A scope of native arrays on one thread: closing frees the arrays created in it and restores the grad mode. Grad mode
/// and TorchScript's optimizer are thread-local with unwanted defaults, so every scope sets them.
public final class TorchScope implements AutoCloseable {
    private final boolean previousMode;
    private final NDScope scope;

    TorchScope(GradMode gradMode) {
        previousMode = JniUtils.isGradMode();
        JniUtils.setGradMode(gradMode == GradMode.ON);
        JniUtils.setGraphExecutorOptimize(false);
        scope = new NDScope();
    }

    /// Keeps an array beyond this scope; it is freed with its `Torch`, or when closed.
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
