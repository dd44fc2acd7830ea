package atomstudio.app.experiment;

import atomstudio.app.drawing.BitmapFont;
import atomstudio.app.drawing.PixelCanvas;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.search.EvolutionarySearch.Evaluation;
import java.awt.Rectangle;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.util.List;
import java.util.Locale;

/// A chart of a structure search: loss against parameters, the Pareto front in colour, the chosen structure large.
public final class SearchPlot {
    private static final int BACKGROUND = 0xFFFFFF;
    private static final int FOREGROUND = 0x1F2328;
    private static final int MUTED = 0x59636E;
    private static final int GRID = 0xDDE2E8;
    private static final int STRUCTURE = 0xA5B4C4;
    private static final int FRONT = 0x4477AA;
    private static final int CHOSEN = 0xEE6677;
    private static final int WIDTH = 720;
    private static final int HEIGHT = 420;
    private static final int MARGIN = 48;
    private static final int AXIS = 64;
    private static final int TICKS = 4;

    private final BitmapFont font = BitmapFont.load();
    private final PixelCanvas canvas = new PixelCanvas(WIDTH + 2 * MARGIN + AXIS, HEIGHT + 3 * MARGIN + AXIS,
            BACKGROUND);
    private final Rectangle box = new Rectangle(MARGIN + AXIS, 2 * MARGIN, WIDTH, HEIGHT);
    private final Range parameters;
    private final Range loss;

    private SearchPlot(List<Evaluation> evaluations) {
        parameters = Range.of(evaluations.stream().mapToDouble(Evaluation::parameters).toArray());
        loss = Range.of(evaluations.stream().mapToDouble(Evaluation::loss).toArray());
    }

    /// @param evaluations at least one
    /// @param front       of the evaluations; the last one is the chosen structure
    public static RgbImage draw(List<Evaluation> evaluations, List<Evaluation> front) {
        SearchPlot plot = new SearchPlot(evaluations);
        plot.frame(evaluations.size());
        evaluations.forEach(each -> plot.spot(each, 3, STRUCTURE));
        front.forEach(each -> plot.spot(each, 5, FRONT));
        plot.spot(front.getLast(), 8, CHOSEN);
        return plot.canvas.image();
    }

    private void frame(int count) {
        text(BitmapFont.TextStyle.HEADING, String.format(Locale.ROOT, "%,d structures: loss against parameters", count),
                MARGIN, MARGIN, FOREGROUND);
        for (int i = 0; i <= TICKS; i++) {
            int x = box.x + box.width * i / TICKS, y = box.y + box.height * i / TICKS;
            canvas.fill(new Rectangle(x, box.y, 1, box.height), GRID);
            canvas.fill(new Rectangle(box.x, y, box.width + 1, 1), GRID);
            String across = String.format(Locale.ROOT, "%,.0f", parameters.at((double) i / TICKS));
            text(BitmapFont.TextStyle.SMALL, across, x - font.width(across, BitmapFont.TextStyle.SMALL) / 2,
                    box.y + box.height + 24, MUTED);
            String up = String.format(Locale.ROOT, "%.4f", loss.at(1 - (double) i / TICKS));
            text(BitmapFont.TextStyle.SMALL, up, box.x - 10 - font.width(up, BitmapFont.TextStyle.SMALL), y + 4, MUTED);
        }
        text(BitmapFont.TextStyle.SMALL, "Blue: the lowest loss with at most as many parameters. Red: the chosen one.",
                box.x, box.y + box.height + MARGIN + 8, MUTED);
    }

    private void spot(Evaluation evaluation, double radius, int rgb) {
        double x = box.x + parameters.position(evaluation.parameters()) * box.width;
        double y = box.y + (1 - loss.position(evaluation.loss())) * box.height;
        Shape circle = new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius);
        canvas.fill(circle, rgb);
    }

    private void text(BitmapFont.TextStyle style, String line, int x, int baseline, int rgb) {
        font.draw(canvas, line, style, new BitmapFont.Pen(x, baseline, rgb));
    }

    /// The values of an axis.
    private record Range(double from, double to) {
        static Range of(double[] values) {
            double from = Double.POSITIVE_INFINITY, to = Double.NEGATIVE_INFINITY;
            for (double value : values) {
                from = Math.min(from, value);
                to = Math.max(to, value);
            }
            return to > from ? new Range(from, to) : new Range(from, from + Math.max(1e-9, Math.abs(from)));
        }

        double position(double value) {
            return (value - from) / (to - from);
        }

        double at(double position) {
            return from + position * (to - from);
        }
    }
}
