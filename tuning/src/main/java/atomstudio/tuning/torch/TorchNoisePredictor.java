package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AdapterTargets;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.NoisePredictor;
import atomstudio.diffusion.engine.ReducedPrecision;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The UNet on PyTorch: in float32, for sampling also in bfloat16. Its attention never materializes the whole attention
/// matrix, so it is not sliced.
final class TorchNoisePredictor extends TorchNetwork implements NoisePredictor, ReducedPrecision {
    private final AdapterTargets targets;
    /// The precision for sampling with fused adapters; empty: adapters are applied in every call.
    private Optional<ComputeDtype> samplingDtype;
    private @Nullable FusedLayers fused;

    TorchNoisePredictor(TorchEngine engine, Optional<ComputeDtype> samplingDtype) {
        super(engine, Component.UNET);
        this.targets = AdapterTargets.of(engine.model());
        this.samplingDtype = samplingDtype;
    }

    @Override
    public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning, List<WeightedAdapter> adapters)
            throws Failure {
        Tensor context = conditioning.hiddenStatesOnly();
        ComputeDtype precision = samplingDtype.orElse(ComputeDtype.FP32);
        return engine.run("UNet", () -> {
            Torch torch = engine.torch();
            UNet unet = engine.model().unet();
            WeightSource<NDArray> layers = samplingDtype.isPresent()
                    ? fused(precision, targets.targetingUnet(adapters)).at(timesteps)
                    : engine.adapted(TorchEngine.Network.UNET, targets.targetingUnet(adapters), timesteps);
            EagerOps ops = torch.ops(precision);
            Tensor features = unet.timeProjection().embed(timesteps);
            return ops.toFloat32(unet.forward(ops, layers, ops.toActivationDtype(torch.array(latents)),
                    ops.toActivationDtype(torch.array(features)), ops.toActivationDtype(torch.array(context))));
        });
    }

    private FusedLayers fused(ComputeDtype computeDtype, List<WeightedAdapter> adapters) {
        FusedLayers layers = fused;
        if (layers != null && layers.matches(adapters)) return layers;
        if (layers != null) layers.close();
        layers = new FusedLayers(engine.torch(), engine.layers(TorchEngine.Network.UNET), computeDtype, adapters);
        fused = layers;
        layers.makeAll(engine.model().layers(Component.UNET));
        return layers;
    }

    @Override
    public boolean useFullPrecision() {
        if (!samplingDtype.equals(Optional.of(ComputeDtype.BF16))) return false;
        releaseFused();
        samplingDtype = Optional.of(ComputeDtype.FP32);
        return true;
    }

    /// Frees the weights with adapters fused in.
    void releaseFused() {
        if (fused != null) fused.close();
        fused = null;
    }
}
