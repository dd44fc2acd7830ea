package atomstudio.diffusion.tensor;

/// How far a computed tensor is from its reference value: `absolute` is the largest difference, `relative` the same
/// over the largest magnitude expected; the bound says which of the two the tolerance is about. NaN and a wrong shape
/// are infinitely far.
public record Deviation(String name, double absolute, double relative, Bound bound) {
    /// What a tensor must stay within.
    public record Bound(Measure measure, double tolerance) {}

    public enum Measure { ABSOLUTE, RELATIVE }

    /// Compares with a tolerance relative to the largest magnitude expected.
    public static Deviation relative(String name, Tensor expected, Tensor found, double tolerance) {
        return compare(name, expected, found, new Bound(Measure.RELATIVE, tolerance));
    }

    /// Compares with a tolerance in the tensor's own unit.
    public static Deviation absolute(String name, Tensor expected, Tensor found, double tolerance) {
        return compare(name, expected, found, new Bound(Measure.ABSOLUTE, tolerance));
    }

    private static Deviation compare(String name, Tensor expected, Tensor found, Bound bound) {
        if (!expected.shape().equals(found.shape()))
            return new Deviation(name, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, bound);
        double maxExpected = 0;
        double maxDifference = 0;
        for (int i = 0; i < expected.data().length; i++) {
            maxExpected = Math.max(maxExpected, Math.abs(expected.data()[i]));
            double elementError = Math.abs((double) expected.data()[i] - found.data()[i]);
            maxDifference = Double.isNaN(elementError) ? Double.POSITIVE_INFINITY
                    : Math.max(maxDifference, elementError);
        }
        return new Deviation(name, maxDifference, maxDifference == 0 ? 0 : maxDifference / maxExpected, bound);
    }

    /// The tolerance, in the measure of its bound.
    public double tolerance() {
        return bound.tolerance();
    }

    /// The error that the tolerance is about.
    public double error() {
        return switch (bound.measure()) {
            case ABSOLUTE -> absolute;
            case RELATIVE -> relative;
        };
    }

    public boolean isWithinTolerance() { return error() <= tolerance(); }
}
