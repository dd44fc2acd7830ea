package atomstudio.tuning.train;

import java.util.List;

/// What a run would take.
/// @param parameterCount numbers tuned
/// @param parameterShare   of the UNet's parameters
/// @param advice  what would make it fit, the mildest first; none where it fits
public record TrainingEstimate(long parameterCount, double parameterShare, MemoryFit memory, TimeEstimate time,
        List<String> advice) {
    /// @param bytes     at the most
    /// @param source    how that was found, in words
    /// @param available bytes that the machine has for it; 0 where it does not say
    public record MemoryFit(long bytes, String source, long available) {
        public boolean fits() {
            return available == 0 || bytes <= available;
        }
    }

    /// Seconds.
    /// @param stepSeconds   the median of the measured ones
    /// @param setupSeconds until the first step
    /// @param totalSeconds  of all steps, and what comes before them
    public record TimeEstimate(double stepSeconds, double setupSeconds, double totalSeconds) {}

    public TrainingEstimate {
        advice = List.copyOf(advice);
    }

    public boolean fits() {
        return memory.fits();
    }
}
