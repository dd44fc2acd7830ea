package atomstudio.diffusion.sample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// The noise levels σ = sigma / alpha of a schedule, most noise first, and the timesteps given to the network there.
record Sigmas(double[] timesteps, double[] sigmas) {
    static Sigmas ofTimesteps(TrainedSigmas trained, double... timesteps) {
        return new Sigmas(timesteps, trained.interpolated(timesteps));
    }

    static Sigmas ofSigmas(TrainedSigmas trained, double... sigmas) {
        return new Sigmas(Arrays.stream(sigmas).map(trained::timestep).toArray(), sigmas);
    }

    Sigmas withTimesteps(DoubleUnaryOperator mapping) {
        return new Sigmas(Arrays.stream(timesteps).map(mapping).toArray(), sigmas);
    }

    /// The `count` noisiest.
    Sigmas take(int count) {
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

    /// Steps from each level to the next, the last one to `finalSigma`; σ rounded to float32 as in diffusers.
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
        return "Sigmas " + Arrays.toString(sigmas);
    }
}
