package atomstudio.tuning.optimize;

import java.util.List;

/// The learning rates and weight decays of one step, by parameter groups as in PyTorch's optimizers: a group's rate is
/// the base rate times its factor.
/// @param base   the rate of a group with factor 1
/// @param groups consecutive ranges that cover the whole vector
public record LearningRates(double base, List<ParameterGroup> groups) {
    /// Parameters `from` (inclusive) to `to` (exclusive) of the vector.
    /// @param factor      of their learning rate; 0: they stay as they are
    /// @param weightDecay decoupled, times the learning rate
    public record ParameterGroup(int from, int to, double factor, double weightDecay) {
        public ParameterGroup(int from, int to, double factor) {
            this(from, to, factor, 0);
        }

        public ParameterGroup {
            if (from < 0 || to < from)
                throw new IllegalArgumentException("group: expected 0 <= from <= to, found " + from + " to " + to);
            if (!(factor >= 0 && Double.isFinite(factor)))
                throw new IllegalArgumentException("factor: expected a number of at least 0, found " + factor);
            if (!(weightDecay >= 0 && weightDecay <= 1))
                throw new IllegalArgumentException("weight decay: expected 0 to 1, found " + weightDecay);
        }
    }

    public LearningRates {
        groups = List.copyOf(groups);
        int end = 0;
        for (ParameterGroup group : groups) {
            if (group.from != end)
                throw new IllegalArgumentException(
                        "groups: expected one that starts at " + end + ", found one at " + group.from);
            end = group.to;
        }
    }

    /// One rate for all parameters of a vector.
    public static LearningRates uniform(double rate, int size) {
        return uniform(rate, size, 0);
    }

    public static LearningRates uniform(double rate, int size, double weightDecay) {
        return new LearningRates(rate, List.of(new ParameterGroup(0, size, 1, weightDecay)));
    }

    double rateOf(ParameterGroup group) {
        return base * group.factor;
    }

    /// The group of one parameter.
    ParameterGroup groupAt(int index) {
        for (ParameterGroup group : groups) if (index < group.to) return group;
        throw new IllegalArgumentException(
                "index: expected below " + (groups.isEmpty() ? 0 : groups.getLast().to) + ", found " + index);
    }
}
