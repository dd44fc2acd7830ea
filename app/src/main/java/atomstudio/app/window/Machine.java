package atomstudio.app.window;

/// What the machine has to work with.
public interface Machine {
    int threads();

    /// Bytes that programs can still get.
    long freeMemory();
}
