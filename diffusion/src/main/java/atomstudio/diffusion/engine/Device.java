package atomstudio.diffusion.engine;

/// Where networks compute.
public sealed interface Device permits Device.Cpu, Device.Cuda, ProviderDevice {
    Device CPU = new Cpu();
    Device CUDA = new Cuda();

    /// On the command line and in settings files: `cpu`, `cuda`, `openvino-gpu`.
    String name();

    /// Where PyTorch computes: execution providers belong to ONNX Runtime.
    default Device torchDevice() {
        return this;
    }

    record Cpu() implements Device {
        @Override
        public String name() {
            return "cpu";
        }
    }

    /// The first NVIDIA GPU.
    record Cuda() implements Device {
        @Override
        public String name() {
            return "cuda";
        }
    }
}
