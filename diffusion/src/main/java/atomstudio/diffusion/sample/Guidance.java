package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Classifier-free guidance: away from what the network says of the negative prompt, toward what it says of the prompt.
/// Source: Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6, in the form u + scale · (c - u).
///
/// Source of the rescaling: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules", equations 15 and 16.
/// @param rescale how much of the change in contrast that guidance makes is taken back, 0 (none) to 1
public record Guidance(double scale, double rescale) {
    public static Guidance of(double scale) {
        return new Guidance(scale, 0);
    }

    /// At 1 and below the negative prompt has no say: the network needs to run only once a step.
    public boolean isActive() { return scale > 1; }

    /// The guided output (B, C, H, W) of two.
    public Tensor combine(Tensor unconditional, Tensor conditional) {
        Tensor guided = LatentMath.weightedSum(1 - scale, unconditional, scale, conditional);
        return rescale == 0 ? guided : rescaled(guided, conditional);
    }

    /// Each picture brought to the spread of its conditional output, as far as `rescale` says.
    private Tensor rescaled(Tensor guided, Tensor conditional) {
        Tensor[] rows = new Tensor[Math.toIntExact(guided.shape().size(0))];
        for (int i = 0; i < rows.length; i++) {
            Tensor row = guided.rows(i, i + 1);
            double stdDev = LatentMath.standardDeviation(row);
            // Nothing can bring a spread of 0 (or that of a single number) to another.
            rows[i] = stdDev > 0 ? LatentMath.scale(
                    rescale * LatentMath.standardDeviation(conditional.rows(i, i + 1)) / stdDev + 1 - rescale, row)
                    : row;
        }
        return Tensor.concatenate(rows);
    }

    /// A denoiser that asks both and combines; of an inactive guidance the conditional one alone.
    public Denoiser guided(Denoiser unconditional, Denoiser conditional) {
        if (!isActive()) return conditional;
        return (latents, timestep) -> combine(unconditional.predict(latents, timestep),
                conditional.predict(latents, timestep));
    }
}
