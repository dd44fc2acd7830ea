package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;

/// σ = sigma / alpha at every trained timestep, interpolated between timesteps, and the inverse from σ to timestep.
record TrainedSigmas(float[] sigmas) implements Schedule.SigmaToTimestep {
    static TrainedSigmas of(SchedulerConfig config) throws Failure {
        NoiseSchedule schedule = NoiseSchedule.of(config);
        return new TrainedSigmas((config.hasZeroTerminalSnr() ? schedule.withoutZeroSnr() : schedule).sigmas());
    }

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

    /// The σ at which the last step ends: 0 or the smallest trained σ.
    double finalSigma(SchedulerConfig config) throws Failure {
        String type = config.string("final_sigmas_type", "zero");
        return switch (type) {
            case "zero" -> 0;
            case "sigma_min" -> sigmaMin();
            default -> throw config.unsupported("final_sigmas_type", type);
        };
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
