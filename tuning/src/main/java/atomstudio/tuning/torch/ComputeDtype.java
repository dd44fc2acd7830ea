package atomstudio.tuning.torch;

import ai.djl.engine.EngineException;
import ai.djl.util.cuda.CudaUtils;
import atomstudio.diffusion.engine.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The precision of frozen weights and activations; trainable parameters, their moments and the loss are float32.
public enum ComputeDtype {
    FP32, BF16;

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    /// The first compute capability with bfloat16 hardware: 8.0, without the dot.
    private static final int MIN_COMPUTE_CAPABILITY = 80;

    /// Whether the device has bfloat16 hardware; false if unknown. Without it PyTorch is slow.
    public static boolean hasHardwareBf16(Device device) {
        return switch (device.torchDevice()) {
            case Device.Cuda _ -> gpuHasBf16();
            default -> cpuHasBf16();
        };
    }

    private static boolean gpuHasBf16() {
        try {
            return CudaUtils.hasCuda() && supportsBf16(CudaUtils.getComputeCapability(0));
        } catch (EngineException | IllegalArgumentException | IllegalStateException e) {
            return false; // unknown
        }
    }

    /// @param capability major and minor without a dot, as DJL returns it
    static boolean supportsBf16(String capability) {
        return Integer.parseInt(capability) >= MIN_COMPUTE_CAPABILITY;
    }

    private static boolean cpuHasBf16() {
        return cpuInfo().contains("avx512_bf16") || hasAmx();
    }

    /// Whether the processor multiplies tiles of bfloat16 numbers; false if unknown.
    static boolean hasAmx() {
        return Amx.PRESENT;
    }

    private static final class Amx {
        static final boolean PRESENT = cpuInfo().contains("amx_bf16");
    }

    private static String cpuInfo() {
        try {
            return Files.readString(CPU_INFO);
        } catch (IOException e) {
            return ""; // not Linux
        }
    }
}
