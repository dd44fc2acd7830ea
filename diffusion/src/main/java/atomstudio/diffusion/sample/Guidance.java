package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Classifier-free guidance: extrapolates from the negative prompt's output past the prompt's.
/// Source: Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6, in the form u + scale · (c - u).
/// Rescaling: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules", equations 15 and 16.
///
/// @param rescale how far the standard deviation is restored to the conditional output's, 0 (not) to 1 (fully)
public record Guidance(double scale, double rescale) {
    public static Guidance of(double scale) {
        return new Guidance(scale, 0);
    }

    /// At 1 and below the negative prompt has no effect, and one network call per evaluation is enough.
    public boolean isActive() { return scale > 1; }

    /// The guided output (B, C, H, W).
    public Tensor combine(Tensor unconditional, Tensor conditional) {
        Tensor guided = Tensor.weightedSum(1 - scale, unconditional, scale, conditional);
        return rescale == 0 ? guided : rescaled(guided, conditional);
    }

    /// Each image scaled toward the standard deviation of its conditional output.
    private Tensor rescaled(Tensor guided, Tensor conditional) {
        Tensor[] rows = new Tensor[Math.toIntExact(guided.shape().size(0))];
        for (int i = 0; i < rows.length; i++) {
            Tensor row = guided.rows(i, i + 1);
            double stdDev = row.standardDeviation();
            double target = conditional.rows(i, i + 1).standardDeviation();
            // No factor changes a standard deviation of 0 (or of a single element, which is NaN).
            rows[i] = stdDev > 0 ? row.scaled(rescale * target / stdDev + 1 - rescale) : row;
        }
        return Tensor.concatenate(rows);
    }
}
