package atomstudio.app.runs;

import java.util.DoubleSummaryStatistics;

/// The scale of a chart: its plot's place in pixels and the values at the edges. The steps are horizontal.
record ChartScale(double x, double y, double width, double height, double from, double to, double bottom,
        double top) {
    private static final int TICKS = 5;

    double x(double step) {
        return x + width * (step - from) / (to - from);
    }

    double y(double value) {
        return y + height * (top - value) / (top - bottom);
    }

    double stepAt(double pixel) {
        return from + (pixel - x) / width * (to - from);
    }

    /// With the values at the ticks around a range.
    ChartScale scaledTo(DoubleSummaryStatistics values) {
        double min = values.getCount() == 0 ? 0 : values.getMin();
        double max = values.getCount() == 0 ? 1 : values.getMax();
        if (max - min < 1e-9) max = min + Math.max(1e-9, Math.abs(min) * 0.1);
        double unit = tickUnit(max - min);
        return new ChartScale(x, y, width, height, from, to, Math.floor(min / unit) * unit,
                Math.ceil(max / unit) * unit);
    }

    /// 1, 2 or 5 times a power of ten, for about five ticks.
    static double tickUnit(double range) {
        double raw = range / TICKS;
        double power = Math.pow(10, Math.floor(Math.log10(raw)));
        double factor = raw / power;
        return power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10);
    }
}
