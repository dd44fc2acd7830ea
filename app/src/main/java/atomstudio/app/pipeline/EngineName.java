package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.AvailableMemory;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// The engine that runs a model's networks.
public enum EngineName {
    /// ONNX Runtime; on a CPU with bfloat16 units PyTorch for a large UNet, which is much faster there
    /// (docs/performance.md).
    AUTO,
    /// ONNX Runtime: float32 on the CPU, the UNet in float16 on a GPU.
    ONNX,
    /// PyTorch; a large UNet in bfloat16 on a device with units for it. Images of the two engines differ by rounding.
    TORCH;

    /// Parameters of a UNet from which bfloat16 is faster in spite of loading PyTorch.
    private static final long MIN_BF16_PARAMETERS = 100_000_000;
    /// Bytes per parameter that PyTorch holds in bfloat16 with activations and a decoder beside it: 2.8 GB while a UNet
    /// of 0.86 billion parameters samples 512×512. ONNX Runtime computes from the mapped file.
    private static final long BF16_BYTES_PER_PARAMETER = 4;

    /// On the command line and in settings files.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<EngineName> ofOption(String option) {
        return Arrays.stream(values()).filter(name -> name.option().equals(option)).findFirst();
    }

    /// @throws Failure.Incompatible if the engine cannot run on the device
    void requireSupport(Device device) throws Failure {
        if (this == TORCH && device instanceof ProviderDevice)
            throw new Failure.Incompatible("device " + device.name()
                    + ": execution providers belong to ONNX Runtime, so PyTorch cannot use it; choose the engine onnx "
                    + "or auto, or the device cpu");
    }

    /// Opens a model for sampling with all processors.
    Engine open(DiffusionModel model, Device device) throws Failure {
        return switch (this) {
            case AUTO -> device.equals(Device.CPU) && prefersBf16(model, device) && fitsInMemory(model)
                    ? openSplit(model, device)
                    : ONNX.open(model, device);
            case ONNX -> OnnxEngine.open(model, device, Runtime.getRuntime().availableProcessors());
            case TORCH -> TorchEngine.openForSampling(model, device, TorchSettings.standard(),
                    prefersBf16(model, device) ? ComputeDtype.BF16 : ComputeDtype.FP32);
        };
    }

    /// The UNet on PyTorch, the rest on ONNX Runtime.
    private static Engine openSplit(DiffusionModel model, Device device) throws Failure {
        Engine torch = TORCH.open(model, device);
        try {
            return ONNX.open(model, device).withNoisePredictor(torch.noisePredictor());
        } catch (Failure e) {
            torch.close();
            throw e;
        }
    }

    /// Small networks are not faster in bfloat16.
    private static boolean prefersBf16(DiffusionModel model, Device device) {
        return ComputeDtype.hasHardwareBf16(device) && model.unetParameterCount() >= MIN_BF16_PARAMETERS;
    }

    private static boolean fitsInMemory(DiffusionModel model) {
        return AvailableMemory.bytes() >= BF16_BYTES_PER_PARAMETER * model.unetParameterCount();
    }
}
