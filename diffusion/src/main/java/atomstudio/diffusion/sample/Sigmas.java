package atomstudio.diffusion.sample;

import atomstudio.diffusion.sample.NoiseSchedule.TrainedSigmas;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/// The noise levels σ = sigma / alpha of a schedule, most noise first, and the timesteps given to the network there.
record Sigmas(double[] timesteps, double[] sigmas) {
    /// Equal timesteps are visited once: rounding makes some equal if there are nearly as many steps as timesteps, and
    /// samplers divide by differences of noise levels.
    static Sigmas ofTimesteps(TrainedSigmas trained, double... timesteps) {
        double[] distinct = Arrays.stream(timesteps).distinct().toArray();
        return new Sigmas(distinct, trained.interpolated(distinct));
    }

    static Sigmas ofSigmas(TrainedSigmas trained, double... sigmas) {
        return new Sigmas(Arrays.stream(sigmas).map(trained::timestep).toArray(), sigmas);
    }

    /// numpy's `linspace`: both ends included; of one value, the start.
    static double[] linspace(double start, double end, int count) {
        double[] values = new double[count];
        double step = count > 1 ? (end - start) / (count - 1) : 0;
        for (int i = 0; i < count; i++) values[i] = start + i * step;
        if (count > 1) values[count - 1] = end;
        return values;
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
    List<SamplingPlan.Step> steps(double finalSigma) {
        List<SamplingPlan.Step> steps = new ArrayList<>();
        for (int i = 0; i < size(); i++) {
            double next = i + 1 < size() ? sigmas[i + 1] : finalSigma;
            steps.add(new SamplingPlan.Step(timesteps[i], NoiseLevel.ofSigma((float) sigmas[i]),
                    NoiseLevel.ofSigma((float) next)));
        }
        return steps;
    }

    /// The training timesteps that a sampler visits. Source: Lin, Liu, Li and Yang 2024, "Common Diffusion Noise
    /// Schedules", table 2.
    enum TimestepSpacing {
        /// Multiples of an integer stride from 0, plus an offset: never reaches the last timestep.
        LEADING,
        /// Evenly spaced over 0..last, both ends included; possibly fractional. One step is at 0.
        LINSPACE,
        /// Multiples of a stride from the last timestep down.
        TRAILING;

        /// `timestep_spacing` in a scheduler config.
        String configValue() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// @param trainTimesteps timesteps of training
        /// @param count how many to visit
        /// @param offset added to LEADING ones
        /// @return timesteps, latest first
        double[] timesteps(int trainTimesteps, int count, int offset) {
            return switch (this) {
                case LEADING -> leading(trainTimesteps / count, count, offset);
                case LINSPACE -> reversed(linspace(0, trainTimesteps - 1, count));
                case TRAILING -> trailing(trainTimesteps, (double) trainTimesteps / count);
            };
        }

        private static double[] leading(int stride, int count, int offset) {
            double[] timesteps = new double[count];
            for (int i = 0; i < count; i++) timesteps[i] = (double) (count - 1 - i) * stride + offset;
            return timesteps;
        }

        private static double[] reversed(double... values) {
            double[] reversed = new double[values.length];
            for (int i = 0; i < values.length; i++) reversed[i] = values[values.length - 1 - i];
            return reversed;
        }

        /// From `end` - 1 down by `stride` while above 0, each rounded half to even. The count follows from the stride
        /// in floating point, as in diffusers.
        static double[] trailing(int end, double stride) {
            double[] timesteps = new double[(int) Math.ceil(end / stride)];
            double delta = end - stride - end;
            for (int i = 0; i < timesteps.length; i++) timesteps[i] = Math.rint(end + i * delta) - 1;
            return timesteps;
        }
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
