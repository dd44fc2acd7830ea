package atomstudio.app.window;

/// What the machine has to work with.
public interface SystemInfo {
    /// Where pictures are computed: `CPU`, `CUDA`.
    String device();

    int threads();

    /// Bytes that programs can still get.
    long freeMemory();
}
