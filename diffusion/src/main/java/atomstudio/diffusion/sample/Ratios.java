package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.Arrays;

/// A training schedule as samplers in σ = sigma / alpha read it: between timesteps, and backwards from σ to timestep.
record Ratios(float[] trained) implements Clock {
    static Ratios of(SchedulerConfig config) throws Failure {
        NoiseSchedule schedule = NoiseSchedule.of(config);
        return new Ratios((config.zeroTerminal() ? schedule.lifted() : schedule).ratios());
    }

    int size() {
        return trained.length;
    }

    ScheduleName.Range range() {
        return new ScheduleName.Range(most(), least());
    }

    double least() {
        return trained[0];
    }

    double most() {
        return trained[trained.length - 1];
    }

    /// How many timesteps, from the least noisy on, have λ = -log σ at or above a bound.
    int above(double lambda) {
        int count = 0;
        while (count < trained.length && -Math.log(trained[count]) >= lambda) count++;
        return count;
    }

    /// Linear between timesteps, the ends' value outside.
    double at(double timestep) {
        if (timestep <= 0) return trained[0];
        if (timestep >= trained.length - 1) return trained[trained.length - 1];
        int below = (int) timestep;
        return ((double) trained[below + 1] - trained[below]) * (timestep - below) + trained[below];
    }

    double[] at(double[] timesteps) {
        double[] ratios = new double[timesteps.length];
        for (int i = 0; i < ratios.length; i++) ratios[i] = at(timesteps[i]);
        return ratios;
    }

    /// Linear in the logarithm between timesteps.
    double between(double timestep) {
        int below = (int) Math.clamp(timestep, 0, trained.length - 1);
        int above = Math.min(below + 1, trained.length - 1);
        return Math.exp(Math.log(trained[below]) + (timestep - below) * (Math.log(trained[above]) - Math.log(trained[below])));
    }

    /// The time, not always whole, whose noise is `ratio`: linear in the logarithm between timesteps.
    @Override public double timestep(double ratio) {
        if (trained.length == 1) return 0;
        double log = Math.log(Math.max(ratio, 1e-10));
        int low = 0;
        int high = trained.length - 2;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if ((float) Math.log(trained[middle]) <= log) low = middle;
            else high = middle - 1;
        }
        double from = (float) Math.log(trained[low]);
        double to = (float) Math.log(trained[low + 1]);
        return low + Math.clamp((from - log) / (from - to), 0.0, 1.0);
    }

    /// Where the last step ends: at no noise, or at the least that was trained.
    double end(SchedulerConfig config) throws Failure {
        String type = config.text("final_sigmas_type", "zero");
        return switch (type) {
            case "zero" -> 0;
            case "sigma_min" -> least();
            default -> throw config.notBuilt("final_sigmas_type", type);
        };
    }

    @Override public boolean equals(Object other) {
        return other instanceof Ratios ratios && Arrays.equals(trained, ratios.trained);
    }

    @Override public int hashCode() {
        return Arrays.hashCode(trained);
    }

    @Override public String toString() {
        return "Ratios of " + trained.length + " timesteps";
    }
}
