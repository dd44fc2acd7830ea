package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Decodes large pictures in little memory and without seams: the decoder's last levels, which hold nearly all of it, run on tiles.
///
/// What comes out is the whole decoder's picture apart from rounding. Two things make tiles differ elsewhere, and neither does here: a tile is
/// computed with a margin as wide as its convolutions reach, which is cut off; and group norms take their statistics from all tiles
/// together. A norm's statistics are only right once those of the norms before it are, so each norm takes a pass over the tiles up to it: the
/// price is about four times the level's own time. (Tiles with statistics of their own, blended where they overlap, differed from the
/// whole picture by 3 to 7 of 255 levels on average and by 20 to 90 at the most, on two real pictures of the default model; see docs/decisions/pictures-from-pictures.md.)
///
/// @param side of a tile without its margin, in pixels of the map that a level starts from
record TiledDecoder(Vae vae, Engine engine, int side) {
    private static final double EPSILON = 1e-6;

    /// @param latents divided by the scaling factor, (1,4,h,w)
    /// @param whole   levels that are decoded at once, before tiles begin
    Tensor decode(Tensor latents, int whole) throws Failure {
        Tensor map = engine.decodeHead(latents, whole);
        for (int level = whole; level < vae.levels(); level++) map = level(level, map);
        return map;
    }

    private Tensor level(int level, Tensor map) throws Failure {
        List<Affine<Tensor>> norms = new ArrayList<>();
        while (norms.size() < vae.norms(level)) norms.add(statistics(level, map, norms));
        int factor = level == 0 ? 1 : 2;
        int height = factor * size(map, 2);
        int width = factor * size(map, 3);
        Tensor all = null;
        for (Window window : windows(level, map)) {
            Tensor made = engine.decodeTile(window.cut(map), level, norms);
            if (all == null) all = Tensor.zeros(made.shape().with(2, height).with(3, width));
            window.paste(made, all, factor);
        }
        if (all == null) throw new IllegalStateException("a map has at least one tile");
        return all;
    }

    /// What the next norm scales and shifts each channel by.
    private Affine<Tensor> statistics(int level, Tensor map, List<Affine<Tensor>> before) throws Failure {
        int factor = level == 0 ? 1 : 2;
        double[] sums = new double[0];
        double[] squares = new double[0];
        for (Window window : windows(level, map)) {
            Tensor made = engine.decodeTile(window.cut(map), level, before);
            if (sums.length == 0) {
                sums = new double[size(made, 1)];
                squares = new double[sums.length];
            }
            window.add(made, factor, sums, squares);
        }
        long pixels = (long) factor * factor * size(map, 2) * size(map, 3);
        return normal(sums, squares, pixels);
    }

    private Affine<Tensor> normal(double[] sums, double[] squares, long pixels) {
        int channels = sums.length;
        int each = channels / vae.groups();
        float[] scale = new float[channels];
        float[] shift = new float[channels];
        for (int first = 0; first < channels; first += each) {
            double sum = 0;
            double square = 0;
            for (int c = first; c < first + each; c++) {
                sum += sums[c];
                square += squares[c];
            }
            double mean = sum / each / pixels;
            double by = 1 / Math.sqrt(Math.max(0, square / each / pixels - mean * mean) + EPSILON);
            for (int c = first; c < first + each; c++) {
                scale[c] = (float) by;
                shift[c] = (float) (-mean * by);
            }
        }
        Shape shape = Shape.of(1, channels, 1, 1);
        return new Affine<>(new Tensor(shape, scale), new Tensor(shape, shift));
    }

    private List<Window> windows(int level, Tensor map) {
        int reach = 2 * (vae.blocks() + 1) + 2;
        int margin = level == 0 ? reach : reach / 2 + 1;
        List<Window> windows = new ArrayList<>();
        for (Span down : spans(size(map, 2), margin)) for (Span across : spans(size(map, 3), margin)) windows.add(new Window(down, across));
        return windows;
    }

    private List<Span> spans(int length, int margin) {
        List<Span> spans = new ArrayList<>();
        int window = Math.min(length, side + 2 * margin);
        for (int from = 0; from < length; from += side) spans.add(new Span(Math.clamp(from - margin, 0, length - window), window, from, Math.min(from + side, length)));
        return spans;
    }

    private static int size(Tensor tensor, int axis) {
        return Math.toIntExact(tensor.shape().size(axis));
    }

    /// Along one axis: where a window starts, how long it is, and which part of the map counts in it. All windows of a map are equally long.
    private record Span(int start, int length, int from, int to) {}

    private record Window(Span down, Span across) {
        Tensor cut(Tensor map) {
            int channels = size(map, 1);
            Tensor part = Tensor.zeros(Shape.of(1, channels, down.length, across.length));
            for (int c = 0; c < channels; c++) {
                for (int y = 0; y < down.length; y++) {
                    System.arraycopy(map.data(), (c * size(map, 2) + down.start + y) * size(map, 3) + across.start, part.data(), (c * down.length + y) * across.length, across.length);
                }
            }
            return part;
        }

        /// Copies what counts of a tile that is `factor` times as fine as the window.
        void paste(Tensor made, Tensor all, int factor) {
            int count = factor * (across.to - across.from);
            for (int c = 0; c < size(made, 1); c++) {
                for (int y = factor * down.from; y < factor * down.to; y++) {
                    System.arraycopy(made.data(), row(made, c, y, factor), all.data(), (c * size(all, 2) + y) * size(all, 3) + factor * across.from, count);
                }
            }
        }

        /// Adds what counts of a tile to every channel's sums.
        void add(Tensor made, int factor, double[] sums, double[] squares) {
            int count = factor * (across.to - across.from);
            for (int c = 0; c < sums.length; c++) {
                for (int y = factor * down.from; y < factor * down.to; y++) {
                    int row = row(made, c, y, factor);
                    for (int i = row; i < row + count; i++) {
                        double number = made.data()[i];
                        sums[c] += number;
                        squares[c] += number * number;
                    }
                }
            }
        }

        private int row(Tensor made, int c, int y, int factor) {
            return (c * size(made, 2) + y - factor * down.start) * size(made, 3) + factor * (across.from - across.start);
        }
    }
}
