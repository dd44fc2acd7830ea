package atomstudio.tuning.train;

import java.util.List;

/// What a run would take.
/// @param numbers numbers tuned
/// @param share   of the UNet's parameters
/// @param advice  what would make it fit, the mildest first; none where it fits
public record Estimate(long numbers, double share, Memory memory, Time time, List<String> advice) {
    /// @param bytes     at the most
    /// @param source    how that was found, in words
    /// @param available bytes that the machine has for it; 0 where it does not say
    public record Memory(long bytes, String source, long available) {
        public boolean fits() {
            return available == 0 || bytes <= available;
        }
    }

    /// Seconds.
    /// @param step   the median of the measured ones
    /// @param before until the first step
    /// @param total  of all steps, and what comes before them
    public record Time(double step, double before, double total) {}

    public Estimate {
        advice = List.copyOf(advice);
    }

    public boolean fits() {
        return memory.fits();
    }
}
