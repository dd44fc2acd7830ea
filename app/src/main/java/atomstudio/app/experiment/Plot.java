package atomstudio.app.experiment;

import atomstudio.app.compare.BitmapFont;
import atomstudio.app.compare.BitmapFont.Pen;
import atomstudio.app.compare.BitmapFont.TextStyle;
import atomstudio.app.compare.PixelCanvas;
import atomstudio.app.compare.PixelCanvas.Box;
import atomstudio.app.compare.PixelCanvas.LineSegment;
import atomstudio.app.experiment.Curves.Curve;
import atomstudio.app.experiment.Curves.Point;
import atomstudio.diffusion.picture.Picture;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Draws likeness against alignment and against diversity, a line a method over its checkpoints, the two kinds of subject below each other.
/// Nearer to the upper right is better. Needs neither a display nor a font.
public final class Plot {
    private static final int PAPER = 0xFFFFFF;
    private static final int INK = 0x1F2328;
    private static final int MUTED = 0x59636E;
    private static final int LINE = 0xDDE2E8;
    /// Colours that stay apart for most eyes. Source: P. Tol, "Colour schemes", bright and muted.
    private static final int[] COLOURS = {0x4477AA, 0xEE6677, 0x228833, 0xCCBB44, 0x66CCEE, 0xAA3377, 0xEE7733, 0x332288, 0x999933, 0x882255, 0x44AA99, 0x661100};
    private static final int UNTUNED = 0x333333;
    private static final int UNTUNED_TOKEN = 0xA5A5A5;

    private static final int SIDE = 520;
    private static final int MARGIN = 48;
    private static final int AXIS = 84;
    private static final int LEGEND = 280;
    private static final int HEAD = 76;
    private static final int FOOT = 68;
    private static final int TICKS = 5;

    private final BitmapFont letters = BitmapFont.load();
    private final Curves curves;
    private final PixelCanvas canvas;

    private Plot(Curves curves) {
        this.curves = curves;
        this.canvas = new PixelCanvas(width(), height(curves), PAPER);
    }

    /// What a table shows; its test phase, or the tuning phase where there is no other yet.
    public static Picture draw(List<Entry> entries) {
        Plot plot = new Plot(Curves.of(entries));
        plot.draw();
        return plot.canvas.image();
    }

    private static int width() {
        return 2 * MARGIN + 2 * (AXIS + SIDE) + LEGEND;
    }

    private static int height(Curves curves) {
        return MARGIN * 3 + Math.max(1, curves.kinds().size()) * (HEAD + SIDE + FOOT);
    }

    private void draw() {
        text(TextStyle.TITLE, "Likeness against alignment and diversity", MARGIN, MARGIN + letters.ascent(TextStyle.TITLE) - 8, INK);
        int top = 2 * MARGIN;
        for (Thing.Kind kind : curves.kinds()) {
            String subjects = String.join(", ", curves.subjects(kind));
            text(TextStyle.HEADING, "Phase " + curves.phase() + ", " + kind.words() + ": " + subjects, MARGIN, top + letters.ascent(TextStyle.HEADING) + 12, INK);
            panel(new Panel(kind, Curves.Axis.ALIGNMENT, new Box(MARGIN + AXIS, top + HEAD, SIDE, SIDE)));
            panel(new Panel(kind, Curves.Axis.DIVERSITY, new Box(MARGIN + 2 * AXIS + SIDE, top + HEAD, SIDE, SIDE)));
            legend(kind, top + HEAD);
            top += HEAD + SIDE + FOOT;
        }
        String by = "Measured by " + String.join(", ", curves.encoders()) + ". A line goes through a method's checkpoints, averaged over subjects and seeds; the large spot is its end. "
                + "Black and grey: the untuned model without and with the token. Nearer to the upper right is better.";
        int baseline = top + letters.ascent(TextStyle.SMALL);
        for (String line : letters.wrap(by, TextStyle.SMALL, width() - 2 * MARGIN, 2)) {
            text(TextStyle.SMALL, line, MARGIN, baseline, MUTED);
            baseline += letters.lineHeight(TextStyle.SMALL);
        }
    }

    /// One of the diagrams.
    private record Panel(Thing.Kind kind, Curves.Axis across, Box box) {}

    private void panel(Panel panel) {
        List<Curve> shown = curves.of(panel.kind, panel.across);
        Scale x = Scale.of(shown.stream().flatMap(curve -> curve.points().stream()).mapToDouble(Point::across).toArray());
        Scale y = Scale.of(shown.stream().flatMap(curve -> curve.points().stream()).mapToDouble(Point::likeness).toArray());
        frame(panel, x, y);
        for (Curve curve : shown) {
            int colour = colour(curve.method());
            List<double[]> places = curve.points().stream().map(point -> new double[] {panel.box.x() + x.at(point.across()) * SIDE, panel.box.y() + (1 - y.at(point.likeness())) * SIDE}).toList();
            for (int i = 1; i < places.size(); i++) canvas.line(new LineSegment(places.get(i - 1)[0], places.get(i - 1)[1], places.get(i)[0], places.get(i)[1]), 2.2, colour);
            for (int i = 0; i < places.size(); i++) canvas.disc(places.get(i)[0], places.get(i)[1], i == places.size() - 1 ? 7 : 4, colour);
        }
    }

    private void frame(Panel panel, Scale x, Scale y) {
        Box box = panel.box;
        for (int i = 0; i <= TICKS; i++) {
            int along = Math.round((float) SIDE * i / TICKS);
            canvas.fill(new Box(box.x() + along, box.y(), 1, SIDE), LINE);
            canvas.fill(new Box(box.x(), box.y() + along, SIDE + 1, 1), LINE);
            String across = x.tick(i);
            text(TextStyle.SMALL, across, box.x() + along - letters.width(across, TextStyle.SMALL) / 2, box.y() + SIDE + 8 + letters.ascent(TextStyle.SMALL), MUTED);
            String up = y.tick(TICKS - i);
            text(TextStyle.SMALL, up, box.x() - 10 - letters.width(up, TextStyle.SMALL), box.y() + along + letters.ascent(TextStyle.SMALL) / 2 - 1, MUTED);
        }
        String name = panel.across.word();
        text(TextStyle.BODY, name, box.x() + (SIDE - letters.width(name, TextStyle.BODY)) / 2, box.y() + SIDE + 28 + letters.ascent(TextStyle.BODY), INK);
        text(TextStyle.BODY, "likeness", box.x(), box.y() - 12, INK);
    }

    private void legend(Thing.Kind kind, int top) {
        int x = MARGIN + 2 * (AXIS + SIDE) + 36;
        int y = top + letters.ascent(TextStyle.BODY);
        for (Curve curve : curves.of(kind, Curves.Axis.ALIGNMENT)) {
            canvas.disc(x, y - letters.ascent(TextStyle.BODY) / 3.0, 7, colour(curve.method()));
            text(TextStyle.BODY, letters.ellipsize(curve.method(), TextStyle.BODY, LEGEND - 60), x + 18, y, INK);
            y += letters.lineHeight(TextStyle.BODY) + 6;
        }
    }

    /// A method has the same colour in every diagram.
    private int colour(String method) {
        if (method.equals(Entry.Key.UNTUNED)) return UNTUNED;
        if (method.equals(Entry.Key.UNTUNED_TOKEN)) return UNTUNED_TOKEN;
        List<String> methods = new ArrayList<>(curves.methods());
        methods.removeIf(name -> name.startsWith(Entry.Key.UNTUNED));
        return COLOURS[methods.indexOf(method) % COLOURS.length];
    }

    private void text(TextStyle style, String line, int x, int baseline, int rgb) {
        letters.draw(canvas, line, style, new Pen(x, baseline, rgb));
    }

    /// An axis from one number to another, with some room around what it shows.
    private record Scale(double from, double to) {
        private static final double STEP = 0.05;

        static Scale of(double[] numbers) {
            double low = Double.POSITIVE_INFINITY;
            double high = Double.NEGATIVE_INFINITY;
            for (double number : numbers) {
                low = Math.min(low, number);
                high = Math.max(high, number);
            }
            if (low > high) return new Scale(0, 1);
            double from = Math.floor((low - STEP / 2) / STEP) * STEP;
            double parts = Math.ceil((high + STEP / 2 - from) / STEP / TICKS);
            return new Scale(from, from + parts * STEP * TICKS);
        }

        double at(double number) {
            return (number - from) / (to - from);
        }

        String tick(int i) {
            return String.format(Locale.ROOT, "%.2f", from + (to - from) * i / TICKS + 0.0);
        }
    }
}
