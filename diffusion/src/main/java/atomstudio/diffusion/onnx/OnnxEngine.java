package atomstudio.diffusion.onnx;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import java.util.EnumMap;
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
        Map<ModelComponent, Checkpoint> checkpoints = new EnumMap<>(ModelComponent.class);
        try {
            for (ModelComponent component : ModelComponent.values())
                checkpoints.put(component, model.openCheckpoint(component));
        } catch (Failure e) {
            checkpoints.values().forEach(Checkpoint::close);
            throw e;
        }
        return new Engine(new OnnxTextEncoder(onnx, checkpoints.get(ModelComponent.TEXT_ENCODER)),
                new OnnxNoisePredictor(onnx, checkpoints.get(ModelComponent.UNET)),
                new OnnxAutoencoder(onnx, checkpoints.get(ModelComponent.VAE)),
                Optional.of(new OnnxClipEncoders(model, onnx.runtime(), settings)));
    }
}
