package atomstudio.diffusion.tensor;

/// The error of a computed tensor against its reference; infinite for NaN or a wrong shape.
/// @param absolute the largest difference of two elements
/// @param relative the absolute error over the largest expected magnitude
public record Deviation(String name, double absolute, double relative, Bound bound) {
    /// A tolerance and the error measure that it applies to.
    public record Bound(Measure measure, double tolerance) {}

    public enum Measure { ABSOLUTE, RELATIVE }

    /// Compares with a tolerance relative to the largest expected magnitude.
    public static Deviation relative(String name, Tensor expected, Tensor found, double tolerance) {
        return compare(name, expected, found, new Bound(Measure.RELATIVE, tolerance));
    }

    /// Compares with a tolerance in the unit of the tensor.
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

    public double tolerance() {
        return bound.tolerance();
    }

    /// The same error with another tolerance in the same measure.
    public Deviation withTolerance(double tolerance) {
        return new Deviation(name, absolute, relative, new Bound(bound.measure, tolerance));
    }

    /// The error in the measure of the tolerance.
    public double error() {
        return switch (bound.measure()) {
            case ABSOLUTE -> absolute;
            case RELATIVE -> relative;
        };
    }

    public boolean isWithinTolerance() { return error() <= tolerance(); }
}
