package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;

/// The training noise schedule: ᾱ_t for t = 0..T-1, in float32 and in diffusers' order of operations.
/// Source: Ho, Jain and Abbeel 2020, "Denoising Diffusion Probabilistic Models", equation 4.
public record NoiseSchedule(float[] alphasCumprod) {
    /// The schedule of a config, with `rescale_betas_zero_snr` if set.
    public static NoiseSchedule of(SchedulerConfig config) throws Failure {
        int timesteps = config.trainTimesteps();
        SchedulerConfig.Betas configured = config.betas();
        float[] trainedBetas = config.floats("trained_betas").orElse(null);
        if (trainedBetas != null && trainedBetas.length != timesteps) {
            throw new Failure.Incompatible("trained_betas: expected " + timesteps
                    + " numbers (num_train_timesteps), found " + trainedBetas.length);
        }
        float[] betas = trainedBetas != null ? trainedBetas : switch (configured.schedule()) {
            case "linear" -> linspace((float) configured.start(), (float) configured.end(), timesteps);
            case "scaled_linear" -> squared(
                    linspace((float) Math.sqrt(configured.start()), (float) Math.sqrt(configured.end()), timesteps));
            case "squaredcos_cap_v2" -> cosineBetas(timesteps);
            default -> throw config.unsupported("beta_schedule", configured.schedule());
        };
        for (int t = 0; t < timesteps; t++) {
            if (betas[t] > 0 && betas[t] < 1) continue;
            throw new Failure.Incompatible("scheduler_config.json: betas: expected numbers above 0 and below 1, found "
                    + betas[t] + " at timestep " + t + "; check trained_betas, beta_start and beta_end");
        }
        return new NoiseSchedule(cumprod(config.hasZeroTerminalSnr() ? rescaledToZeroTerminalSnr(betas) : betas));
    }

    /// T.
    public int size() {
        return alphasCumprod.length;
    }

    /// ᾱ_t.
    public float alphaCumprod(int timestep) {
        return alphasCumprod[timestep];
    }

    public NoiseLevel level(int timestep) {
        return NoiseLevel.ofAlphaCumprod(alphasCumprod[timestep]);
    }

    /// The same with a small signal at the last timestep, for samplers that divide by it.
    NoiseSchedule withoutZeroSnr() {
        float[] nudged = alphasCumprod.clone();
        nudged[nudged.length - 1] = 0x1p-24f;
        return new NoiseSchedule(nudged);
    }

    /// sigma / alpha at every timestep.
    float[] sigmas() {
        float[] sigmas = new float[alphasCumprod.length];
        for (int t = 0; t < sigmas.length; t++)
            sigmas[t] = (float) Math.sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
        return sigmas;
    }

    /// `torch.linspace` in float32, which counts from the nearer end.
    private static float[] linspace(float first, float last, int count) {
        float[] values = new float[count];
        float step = count > 1 ? (last - first) / (count - 1) : 0;
        for (int i = 0; i < count; i++)
            values[i] = i < count / 2 || count == 1 ? first + step * i : last - step * (count - 1 - i);
        return values;
    }

    private static float[] squared(float[] roots) {
        for (int i = 0; i < roots.length; i++) roots[i] *= roots[i];
        return roots;
    }

    /// Source: Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", equation 17; betas
    /// capped at 0.999.
    private static float[] cosineBetas(int count) {
        float[] betas = new float[count];
        for (int i = 0; i < count; i++)
            betas[i] = (float) Math.min(1 - cosineAlphaBar((i + 1.0) / count) / cosineAlphaBar((double) i / count),
                    0.999);
        return betas;
    }

    private static double cosineAlphaBar(double time) {
        double cosine = Math.cos((time + 0.008) / 1.008 * Math.PI / 2);
        return cosine * cosine;
    }

    /// Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules", algorithm 1.
    private static float[] rescaledToZeroTerminalSnr(float[] betas) {
        float[] roots = cumprod(betas);
        for (int t = 0; t < roots.length; t++) roots[t] = (float) Math.sqrt(roots[t]);
        float first = roots[0];
        float last = roots[roots.length - 1];
        float[] alphaBars = new float[roots.length];
        for (int t = 0; t < roots.length; t++) {
            float shifted = (roots[t] - last) * (first / (first - last));
            alphaBars[t] = shifted * shifted;
        }
        float[] rescaled = new float[alphaBars.length];
        for (int t = 0; t < alphaBars.length; t++)
            rescaled[t] = 1 - (t == 0 ? alphaBars[0] : alphaBars[t] / alphaBars[t - 1]);
        return rescaled;
    }

    /// ᾱ_t = Π (1 - β), accumulated in double precision as in PyTorch.
    private static float[] cumprod(float[] betas) {
        float[] alphaBars = new float[betas.length];
        double product = 1;
        for (int t = 0; t < betas.length; t++) alphaBars[t] = (float) (product *= 1 - betas[t]);
        return alphaBars;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NoiseSchedule schedule && Arrays.equals(alphasCumprod, schedule.alphasCumprod);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(alphasCumprod);
    }

    @Override
    public String toString() {
        return "NoiseSchedule of " + alphasCumprod.length + " timesteps";
    }
}
