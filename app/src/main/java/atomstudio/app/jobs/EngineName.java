package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.Inventory;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.torch.Precision;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// What runs a model's networks when pictures are made.
public enum EngineName {
    /// ONNX Runtime, or PyTorch where that is much faster: a large UNet on a processor with units for bfloat16 (docs/performance.md).
    AUTO,
    /// ONNX Runtime, in float32 on the CPU.
    ONNX,
    /// PyTorch; the UNet in bfloat16 on a processor that has units for it. A picture differs from the other engine's by rounding.
    TORCH;

    /// Parameters of a UNet from which bfloat16 pays for loading PyTorch.
    private static final long LARGE = 100_000_000;

    /// The command line's word.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<EngineName> ofOption(String option) {
        return Arrays.stream(values()).filter(name -> name.option().equals(option)).findFirst();
    }

    /// Opens a model for sampling with all processors.
    Engine open(ModelFolder model, Device device) throws Failure {
        return switch (this) {
            case AUTO -> (device == Device.CPU && Precision.hasUnits() && large(model) ? TORCH : ONNX).open(model, device);
            case ONNX -> OnnxEngine.open(model, device, Runtime.getRuntime().availableProcessors());
            case TORCH -> TorchEngine.openForSampling(model, device, TorchSettings.standard(), device == Device.CPU && Precision.hasUnits() ? Precision.BF16 : Precision.FP32);
        };
    }

    private static boolean large(ModelFolder model) {
        return Inventory.of(model.unet()).stream().mapToLong(Layer::parameters).sum() >= LARGE;
    }
}
