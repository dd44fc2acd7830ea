package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;

/// The training noise schedule: ᾱ_t for t = 0..T-1, in float32 and in diffusers' order of operations.
/// Source: Ho, Jain and Abbeel 2020, "Denoising Diffusion Probabilistic Models", equation 4.
public record NoiseSchedule(float[] alphasCumprod) {
    /// diffusers' replacement for ᾱ = 0.
    private static final float MIN_ALPHA_CUMPROD = 0x1p-24f;

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

    /// With zero terminal SNR, the last σ is large instead of infinite, for samplers that divide by the signal.
    TrainedSigmas trainedSigmas() {
        float[] sigmas = new float[alphasCumprod.length];
        for (int t = 0; t < sigmas.length; t++) {
            float alphaCumprod = alphasCumprod[t] == 0 ? MIN_ALPHA_CUMPROD : alphasCumprod[t];
            sigmas[t] = (float) Math.sqrt((1 - alphaCumprod) / alphaCumprod);
        }
        return new TrainedSigmas(sigmas);
    }

    /// σ = sigma / alpha at every trained timestep, interpolated between timesteps, and the inverse from σ to timestep.
    record TrainedSigmas(float[] sigmas) implements SamplingPlan.SigmaToTimestep {
        int size() {
            return sigmas.length;
        }

        ScheduleName.SigmaRange sigmaRange() {
            return new ScheduleName.SigmaRange(sigmaMax(), sigmaMin());
        }

        double sigmaMin() {
            return sigmas[0];
        }

        double sigmaMax() {
            return sigmas[sigmas.length - 1];
        }

        /// How many timesteps, from the least noisy on, have λ = -log σ at or above a minimum.
        int countAboveLambda(double lambda) {
            int count = 0;
            while (count < sigmas.length && -Math.log(sigmas[count]) >= lambda) count++;
            return count;
        }

        /// Linear between timesteps, clamped outside.
        double interpolated(double timestep) {
            if (timestep <= 0) return sigmas[0];
            if (timestep >= sigmas.length - 1) return sigmas[sigmas.length - 1];
            int lower = (int) timestep;
            return ((double) sigmas[lower + 1] - sigmas[lower]) * (timestep - lower) + sigmas[lower];
        }

        double[] interpolated(double[] timesteps) {
            double[] interpolated = new double[timesteps.length];
            for (int i = 0; i < interpolated.length; i++) interpolated[i] = interpolated(timesteps[i]);
            return interpolated;
        }

        /// Linear in log σ between timesteps.
        double logInterpolated(double timestep) {
            int lower = (int) Math.clamp(timestep, 0, sigmas.length - 1);
            int upper = Math.min(lower + 1, sigmas.length - 1);
            return Math.exp(
                    Math.log(sigmas[lower]) + (timestep - lower) * (Math.log(sigmas[upper]) - Math.log(sigmas[lower])));
        }

        /// The timestep, possibly fractional, with this σ: linear in log σ between timesteps.
        @Override
        public double timestep(double sigma) {
            if (sigmas.length == 1) return 0;
            double logSigma = Math.log(Math.max(sigma, 1e-10));
            int low = 0;
            int high = sigmas.length - 2;
            while (low < high) {
                int mid = (low + high + 1) >>> 1;
                if ((float) Math.log(sigmas[mid]) <= logSigma) low = mid;
                else high = mid - 1;
            }
            double logLow = (float) Math.log(sigmas[low]);
            double logHigh = (float) Math.log(sigmas[low + 1]);
            return low + Math.clamp((logLow - logSigma) / (logLow - logHigh), 0.0, 1.0);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof TrainedSigmas that && Arrays.equals(sigmas, that.sigmas);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(sigmas);
        }

        @Override
        public String toString() {
            return "TrainedSigmas of " + sigmas.length + " timesteps";
        }
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
