package atomstudio.tuning.torch;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.TextEncoder;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The text encoder on PyTorch, in float32.
final class TorchTextEncoder extends TorchNetwork implements TextEncoder {
    private final AdapterTargets targets;

    TorchTextEncoder(TorchEngine engine) {
        super(engine, Component.TEXT_ENCODER);
        this.targets = AdapterTargets.of(engine.model());
    }

    @Override
    public Tensor encode(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        return engine.run("text encoder",
                () -> engine.model()
                        .textEncoder()
                        .encode(engine.torch().ops(),
                                engine.adapted(TorchEngine.Network.TEXT, targets.targetingTextEncoder(adapters)),
                                engine.torch().array(ids), clipSkip - 1));
    }
}
