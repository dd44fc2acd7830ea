package atomstudio.tuning.train;

import java.util.List;

/// Estimated time and memory of a run.
/// @param parameterCount trainable parameters
/// @param parameterShare trainable parameters over the UNet's
/// @param advice         settings that need less memory, in order of preference; empty if it fits
public record TrainingEstimate(long parameterCount, double parameterShare, MemoryFit memory, TimeEstimate time,
        List<String> advice) {
    /// @param bytes     peak memory; on the CPU without pages of mapped files
    /// @param source    how it was determined, in words
    /// @param available bytes of the machine or GPU; 0 if unknown
    public record MemoryFit(long bytes, String source, long available) {
        public boolean fits() {
            return available == 0 || bytes <= available;
        }
    }

    /// @param stepSeconds  median of the measured steps
    /// @param setupSeconds until the first step
    /// @param totalSeconds setup, all steps and evaluations
    public record TimeEstimate(double stepSeconds, double setupSeconds, double totalSeconds) {}

    public TrainingEstimate {
        advice = List.copyOf(advice);
    }

    public boolean fits() {
        return memory.fits();
    }
}
