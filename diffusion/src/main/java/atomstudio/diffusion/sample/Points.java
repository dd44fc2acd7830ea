package atomstudio.diffusion.sample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// Noise levels to visit, most noise first, and the times the network is told there. `ratios` are sigma / alpha.
record Points(double[] timesteps, double[] ratios) {
    static Points ofTimesteps(Ratios trained, double... timesteps) {
        return new Points(timesteps, trained.at(timesteps));
    }

    static Points ofRatios(Ratios trained, double... ratios) {
        return new Points(Arrays.stream(ratios).map(trained::timestep).toArray(), ratios);
    }

    /// The same levels, the network told other times.
    Points told(DoubleUnaryOperator time) {
        return new Points(Arrays.stream(timesteps).map(time).toArray(), ratios);
    }

    /// The `count` noisiest.
    Points first(int count) {
        return new Points(Arrays.copyOf(timesteps, count), Arrays.copyOf(ratios, count));
    }

    int size() {
        return ratios.length;
    }

    double first() {
        return ratios[0];
    }

    double last() {
        return ratios[ratios.length - 1];
    }

    /// Steps from each to the next and from the last to the ratio `end`, each rounded to float32 as the reference keeps them.
    List<Step> steps(double end) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < size(); i++) {
            double to = i + 1 < size() ? ratios[i + 1] : end;
            steps.add(new Step(timesteps[i], Level.ofRatio((float) ratios[i]), Level.ofRatio((float) to)));
        }
        return steps;
    }

    @Override public boolean equals(Object other) {
        return other instanceof Points points && Arrays.equals(timesteps, points.timesteps) && Arrays.equals(ratios, points.ratios);
    }

    @Override public int hashCode() {
        return 31 * Arrays.hashCode(timesteps) + Arrays.hashCode(ratios);
    }

    @Override public String toString() {
        return "Points " + Arrays.toString(ratios);
    }
}
