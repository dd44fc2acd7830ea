package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;

/// How noisy each timestep of training is: ᾱ_t for t = 0..T-1, in float32 and by the reference's order of operations.
/// Source: Ho, Jain and Abbeel 2020, "Denoising Diffusion Probabilistic Models", equation 4.
public record NoiseSchedule(float[] alphasCumprod) {
    /// The trained schedule of a model, zero terminal SNR included where the config asks for it.
    public static NoiseSchedule of(SchedulerConfig config) throws Failure {
        int timesteps = config.trainTimesteps();
        SchedulerConfig.Betas written = config.betas();
        float[] trained = config.numbers("trained_betas").orElse(null);
        if (trained != null && trained.length != timesteps) {
            throw new Failure.Incompatible("trained_betas: expected " + timesteps + " numbers (num_train_timesteps), found " + trained.length);
        }
        float[] betas = trained != null ? trained : switch (written.kind()) {
            case "linear" -> linspace((float) written.first(), (float) written.last(), timesteps);
            case "scaled_linear" -> squares(linspace((float) Math.sqrt(written.first()), (float) Math.sqrt(written.last()), timesteps));
            case "squaredcos_cap_v2" -> cosine(timesteps);
            default -> throw config.notBuilt("beta_schedule", written.kind());
        };
        for (int t = 0; t < timesteps; t++) {
            if (betas[t] > 0 && betas[t] < 1) continue;
            throw new Failure.Incompatible("scheduler_config.json: betas: expected numbers above 0 and below 1, found " + betas[t] + " at timestep " + t + "; check trained_betas, beta_start and beta_end");
        }
        return new NoiseSchedule(cumulated(config.zeroTerminal() ? zeroTerminal(betas) : betas));
    }

    /// T.
    public int size() {
        return alphasCumprod.length;
    }

    /// ᾱ_t.
    public float alphaBar(int timestep) {
        return alphasCumprod[timestep];
    }

    public Level level(int timestep) {
        return Level.ofCumulated(alphasCumprod[timestep]);
    }

    /// The same, with the last timestep lifted off zero signal: what samplers that divide by it work on.
    NoiseSchedule lifted() {
        float[] lifted = alphasCumprod.clone();
        lifted[lifted.length - 1] = 0x1p-24f;
        return new NoiseSchedule(lifted);
    }

    /// sigma / alpha at every timestep.
    float[] ratios() {
        float[] ratios = new float[alphasCumprod.length];
        for (int t = 0; t < ratios.length; t++) ratios[t] = (float) Math.sqrt((1 - alphasCumprod[t]) / alphasCumprod[t]);
        return ratios;
    }

    /// Equal steps in float32, counted from the nearer end as PyTorch does.
    private static float[] linspace(float first, float last, int count) {
        float[] numbers = new float[count];
        float stride = count > 1 ? (last - first) / (count - 1) : 0;
        for (int i = 0; i < count; i++) numbers[i] = i < count / 2 || count == 1 ? first + stride * i : last - stride * (count - 1 - i);
        return numbers;
    }

    private static float[] squares(float[] roots) {
        for (int i = 0; i < roots.length; i++) roots[i] *= roots[i];
        return roots;
    }

    /// Source: Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", equation 17; betas capped at 0.999.
    private static float[] cosine(int count) {
        float[] betas = new float[count];
        for (int i = 0; i < count; i++) betas[i] = (float) Math.min(1 - cosineBar((i + 1.0) / count) / cosineBar((double) i / count), 0.999);
        return betas;
    }

    private static double cosineBar(double time) {
        double cosine = Math.cos((time + 0.008) / 1.008 * Math.PI / 2);
        return cosine * cosine;
    }

    /// Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise Schedules", algorithm 1.
    private static float[] zeroTerminal(float[] betas) {
        float[] roots = cumulated(betas);
        for (int t = 0; t < roots.length; t++) roots[t] = (float) Math.sqrt(roots[t]);
        float first = roots[0];
        float last = roots[roots.length - 1];
        float[] bars = new float[roots.length];
        for (int t = 0; t < roots.length; t++) {
            float moved = (roots[t] - last) * (first / (first - last));
            bars[t] = moved * moved;
        }
        float[] rescaled = new float[bars.length];
        for (int t = 0; t < bars.length; t++) rescaled[t] = 1 - (t == 0 ? bars[0] : bars[t] / bars[t - 1]);
        return rescaled;
    }

    /// ᾱ_t = Π (1 - β), the running product in double precision as PyTorch accumulates it.
    private static float[] cumulated(float[] betas) {
        float[] bars = new float[betas.length];
        double product = 1;
        for (int t = 0; t < betas.length; t++) bars[t] = (float) (product *= 1 - betas[t]);
        return bars;
    }

    @Override public boolean equals(Object other) {
        return other instanceof NoiseSchedule schedule && Arrays.equals(alphasCumprod, schedule.alphasCumprod);
    }

    @Override public int hashCode() {
        return Arrays.hashCode(alphasCumprod);
    }

    @Override public String toString() {
        return "NoiseSchedule of " + alphasCumprod.length + " timesteps";
    }
}
