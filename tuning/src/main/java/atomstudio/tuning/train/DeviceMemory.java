package atomstudio.tuning.train;

import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.torch.GpuMemory;
import atomstudio.tuning.torch.ProcessMemory;

/// Memory that steps on a device are held in: the machine's, or the graphics processor's.
record DeviceMemory(Device device) {
    /// Bytes that a run can have in all; 0 where nobody says.
    long limit() {
        return switch (device) {
            case CPU -> ProcessMemory.limit();
            case CUDA -> GpuMemory.total();
        };
    }

    /// The most that was held so far.
    long peak() {
        return switch (device) {
            case CPU -> ProcessMemory.peakResident();
            case CUDA -> GpuMemory.used();
        };
    }

    /// Whether so much is known not to fit.
    boolean isTooSmallFor(long needed) {
        long limit = limit();
        return limit > 0 && needed > limit;
    }
}
