package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.EngineNetwork;
import atomstudio.diffusion.ops.Component;

/// A network of a model on PyTorch. It shares arrays with the engine's other networks; closing it closes all of them.
abstract class TorchNetwork implements EngineNetwork {
    final TorchEngine engine;
    private final Component component;

    TorchNetwork(TorchEngine engine, Component component) {
        this.engine = engine;
        this.component = component;
    }

    @Override
    public final void checkFiles() throws Failure.Unreadable {
        engine.checkFiles(component);
    }

    @Override
    public final void close() {
        engine.close();
    }
}
