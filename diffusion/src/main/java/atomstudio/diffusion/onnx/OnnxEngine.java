package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import java.util.Map;
import java.util.Optional;

/// Opens a model's networks on ONNX Runtime. They are independent: each owns its sessions and mapped weights.
public final class OnnxEngine {
    private OnnxEngine() {}

    /// Opens and checks all weight files; weights are read when first used.
    /// @throws Failure.Incompatible if tensors are missing or of another shape; all are listed
    /// @throws Failure.DeviceUnavailable if the device is not available
    public static Engine open(DiffusionModel model, Device device, int threads) throws Failure {
        return open(model, device, threads, OnnxSettings.of(device));
    }

    /// The same with other settings.
    public static Engine open(DiffusionModel model, Device device, int threads, OnnxSettings settings)
            throws Failure {
        OnnxNetwork.OnnxModel onnx = new OnnxNetwork.OnnxModel(model, OnnxRuntime.open(device, threads), settings);
        model.requireOneTextEncoder();
        Map<Component, Checkpoint> checkpoints = model.openCheckpoints(model.components().keySet());
        return new Engine(new OnnxTextEncoder(onnx, checkpoints.get(Component.TEXT_ENCODER)),
                new OnnxNoisePredictor(onnx, checkpoints.get(Component.UNET)),
                new OnnxAutoencoder(onnx, checkpoints.get(Component.VAE)),
                Optional.of(new OnnxClipEncoders(model, onnx.runtime(), settings)));
    }
}
