package atomstudio.tuning.optimize;

import java.util.List;

/// The learning rates of one step: a base rate times the factor of each parameter group, as in PyTorch's optimizers.
/// @param base   the rate of a group with factor 1
/// @param groups consecutive ranges that cover the whole vector
public record LearningRates(double base, List<ParameterGroup> groups) {
    /// Parameters `from` (inclusive) to `to` (exclusive) of the vector, with the factor of their learning rate.
    public record ParameterGroup(int from, int to, double factor) {
        public ParameterGroup {
            if (from < 0 || to < from)
                throw new IllegalArgumentException("group: expected 0 <= from <= to, found " + from + " to " + to);
            if (!(factor > 0 && Double.isFinite(factor)))
                throw new IllegalArgumentException("factor: expected a number above 0, found " + factor);
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
        return new LearningRates(rate, List.of(new ParameterGroup(0, size, 1)));
    }

    double rateOf(ParameterGroup group) {
        return base * group.factor;
    }

    /// The rate of one parameter.
    double rateAt(int index) {
        for (ParameterGroup group : groups) if (index < group.to) return rateOf(group);
        throw new IllegalArgumentException(
                "index: expected below " + (groups.isEmpty() ? 0 : groups.getLast().to) + ", found " + index);
    }
}
