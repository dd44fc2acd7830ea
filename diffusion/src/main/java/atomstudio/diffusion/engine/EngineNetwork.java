package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;

/// A network that an [Engine] runs. Not thread-safe. By default it has no files and nothing to close, so that a network
/// around another one can be a lambda.
public interface EngineNetwork extends AutoCloseable {
    /// Checks that the network's files are unchanged since they were opened; every run does so too.
    /// @throws Failure.Unreadable if one changed
    default void checkFiles() throws Failure.Unreadable {}

    /// Frees all native memory, also of other networks that share it. Closing again does nothing.
    @Override
    default void close() {}
}
