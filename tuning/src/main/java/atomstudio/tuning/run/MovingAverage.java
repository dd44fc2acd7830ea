package atomstudio.tuning.run;

/// Exponential moving average with bias correction: m / (1 - β^t) instead of m, which starts at 0. An average that
/// starts with the first value instead follows the curve too slowly.
/// Source: Kingma and Ba 2015, "Adam", section 3.
/// @param decay β, 0 to 1
/// @param count t, the number of values
/// @param value corrected; meaningless if there are no values
public record MovingAverage(double decay, long count, double value) {
    public static MovingAverage of(double decay) {
        return new MovingAverage(decay, 0, 0);
    }

    public MovingAverage with(double added) {
        double previous = count == 0 ? 0 : value * (1 - Math.pow(decay, count));
        double average = decay * previous + (1 - decay) * added;
        return new MovingAverage(decay, count + 1, average / (1 - Math.pow(decay, count + 1)));
    }
}
