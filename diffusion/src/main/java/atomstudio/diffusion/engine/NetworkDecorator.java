package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;

/// A network that runs another one, with a fallback. Closing it closes the other.
interface NetworkDecorator extends EngineNetwork {
    EngineNetwork network();

    @Override
    default void checkFiles() throws Failure.Unreadable {
        network().checkFiles();
    }

    @Override
    default void close() {
        network().close();
    }
}
