package atomstudio.tuning.torch;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.util.cuda.CudaUtils;
import java.lang.management.MemoryUsage;
import org.jspecify.annotations.Nullable;

/// Memory of the first GPU, including other programs'. PyTorch keeps what it allocated, so the current use is near the
/// peak. 0 if unknown.
public final class GpuMemory {
    private GpuMemory() {}

    public static long total() {
        MemoryUsage usage = usage();
        return usage == null ? 0 : Math.max(0, usage.getMax());
    }

    public static long used() {
        MemoryUsage usage = usage();
        return usage == null ? 0 : usage.getUsed();
    }

    private static @Nullable MemoryUsage usage() {
        try {
            return CudaUtils.hasCuda() ? CudaUtils.getGpuMemory(Device.gpu()) : null;
        } catch (EngineException | IllegalArgumentException | IllegalStateException e) {
            return null;
        }
    }
}
