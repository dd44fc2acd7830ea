package atomstudio.diffusion.sample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// Noise levels to visit, most noise first, and the times the network is told there. `ratios` are sigma / alpha.
record Sigmas(double[] timesteps, double[] sigmas) {
    static Sigmas ofTimesteps(TrainedSigmas trained, double... timesteps) {
        return new Sigmas(timesteps, trained.interpolated(timesteps));
    }

    static Sigmas ofSigmas(TrainedSigmas trained, double... sigmas) {
        return new Sigmas(Arrays.stream(sigmas).map(trained::timestep).toArray(), sigmas);
    }

    /// The same levels, the network told other times.
    Sigmas withTimesteps(DoubleUnaryOperator mapping) {
        return new Sigmas(Arrays.stream(timesteps).map(mapping).toArray(), sigmas);
    }

    /// The `count` noisiest.
    Sigmas first(int count) {
        return new Sigmas(Arrays.copyOf(timesteps, count), Arrays.copyOf(sigmas, count));
    }

    int size() {
        return sigmas.length;
    }

    double first() {
        return sigmas[0];
    }

    double last() {
        return sigmas[sigmas.length - 1];
    }

    /// Steps from each to the next and from the last to the ratio `end`, each rounded to float32 as the reference
    /// keeps them.
    List<Schedule.Step> steps(double finalSigma) {
        List<Schedule.Step> steps = new ArrayList<>();
        for (int i = 0; i < size(); i++) {
            double next = i + 1 < size() ? sigmas[i + 1] : finalSigma;
            steps.add(new Schedule.Step(timesteps[i], NoiseLevel.ofSigma((float) sigmas[i]),
                    NoiseLevel.ofSigma((float) next)));
        }
        return steps;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Sigmas that && Arrays.equals(timesteps, that.timesteps)
                && Arrays.equals(sigmas, that.sigmas);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(timesteps) + Arrays.hashCode(sigmas);
    }

    @Override
    public String toString() {
        return "Points " + Arrays.toString(sigmas);
    }
}
