package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Decodes large pictures in little memory and without seams: the decoder's last levels, which hold nearly all of it,
/// run on tiles.
///
/// What comes out is the whole decoder's picture apart from rounding. Two things make tiles differ elsewhere, and
/// neither does here: a tile is computed with a margin as wide as its convolutions reach, which is cut off; and group
/// norms take their statistics from all tiles together. A norm's statistics are only right once those of the norms
/// before it are, so each norm takes a pass over the tiles up to it: the price is about four times the level's own
/// time. (Tiles with statistics of their own, blended where they overlap, differed from the whole picture by 3 to 7
/// of 255 levels on average and by 20 to 90 at the most, on two real pictures of the default model; see
/// docs/decisions/pictures-from-pictures.md.)
///
/// @param tileSide of a tile without its margin, in pixels of the map that a level starts from
record TiledDecoder(Vae vae, Engine engine, int tileSide) {
    private static final double EPSILON = 1e-6;

    /// @param latents divided by the scaling factor, (1,4,h,w)
    /// @param wholeLevels   levels that are decoded at once, before tiles begin
    Tensor decode(Tensor latents, int wholeLevels) throws Failure {
        Tensor map = engine.decodeHead(latents, wholeLevels);
        for (int level = wholeLevels; level < vae.levels(); level++) map = decodeLevel(level, map);
        return map;
    }

    private Tensor decodeLevel(int level, Tensor map) throws Failure {
        List<LayerWeights<Tensor>> norms = new ArrayList<>();
        while (norms.size() < vae.normCount(level)) norms.add(statistics(level, map, norms));
        int factor = level == 0 ? 1 : 2;
        int height = factor * size(map, 2);
        int width = factor * size(map, 3);
        Tensor output = null;
        for (Window window : windows(level, map)) {
            Tensor tile = engine.decodeTile(window.crop(map), level, norms);
            if (output == null) output = Tensor.zeros(tile.shape().with(2, height).with(3, width));
            window.paste(tile, output, factor);
        }
        if (output == null) throw new IllegalStateException("a map has at least one tile");
        return output;
    }

    /// What the next norm scales and shifts each channel by.
    private LayerWeights<Tensor> statistics(int level, Tensor map, List<LayerWeights<Tensor>> previousNorms)
            throws Failure {
        int factor = level == 0 ? 1 : 2;
        double[] sums = new double[0];
        double[] squares = new double[0];
        for (Window window : windows(level, map)) {
            Tensor tile = engine.decodeTile(window.crop(map), level, previousNorms);
            if (sums.length == 0) {
                sums = new double[size(tile, 1)];
                squares = new double[sums.length];
            }
            window.accumulate(tile, factor, sums, squares);
        }
        long pixels = (long) factor * factor * size(map, 2) * size(map, 3);
        return normalization(sums, squares, pixels);
    }

    private LayerWeights<Tensor> normalization(double[] sums, double[] squares, long pixels) {
        int channels = sums.length;
        int groupSize = channels / vae.normGroups();
        float[] scale = new float[channels];
        float[] shift = new float[channels];
        for (int first = 0; first < channels; first += groupSize) {
            double sum = 0;
            double square = 0;
            for (int c = first; c < first + groupSize; c++) {
                sum += sums[c];
                square += squares[c];
            }
            double mean = sum / groupSize / pixels;
            double inverseStd = 1 / Math.sqrt(Math.max(0, square / groupSize / pixels - mean * mean) + EPSILON);
            for (int c = first; c < first + groupSize; c++) {
                scale[c] = (float) inverseStd;
                shift[c] = (float) (-mean * inverseStd);
            }
        }
        Shape shape = Shape.of(1, channels, 1, 1);
        return new LayerWeights<>(new Tensor(shape, scale), new Tensor(shape, shift));
    }

    private List<Window> windows(int level, Tensor map) {
        int receptiveField = 2 * (vae.layersPerBlock() + 1) + 2;
        int margin = level == 0 ? receptiveField : receptiveField / 2 + 1;
        List<Window> windows = new ArrayList<>();
        for (Span vertical : spans(size(map, 2), margin))
            for (Span horizontal : spans(size(map, 3), margin)) windows.add(new Window(vertical, horizontal));
        return windows;
    }

    private List<Span> spans(int length, int margin) {
        List<Span> spans = new ArrayList<>();
        int window = Math.min(length, tileSide + 2 * margin);
        for (int from = 0; from < length; from += tileSide)
            spans.add(new Span(Math.clamp(from - margin, 0, length - window), window, from,
                    Math.min(from + tileSide, length)));
        return spans;
    }

    private static int size(Tensor tensor, int axis) {
        return Math.toIntExact(tensor.shape().size(axis));
    }

    /// Along one axis: where a window starts, how long it is, and which part of the map counts in it. All windows of
    /// a map are equally long.
    private record Span(int start, int length, int from, int to) {}

    private record Window(Span vertical, Span horizontal) {
        Tensor crop(Tensor map) {
            int channels = size(map, 1);
            Tensor crop = Tensor.zeros(Shape.of(1, channels, vertical.length, horizontal.length));
            for (int c = 0; c < channels; c++) {
                for (int y = 0; y < vertical.length; y++) {
                    System.arraycopy(map.data(),
                            (c * size(map, 2) + vertical.start + y) * size(map, 3) + horizontal.start, crop.data(),
                            (c * vertical.length + y) * horizontal.length, horizontal.length);
                }
            }
            return crop;
        }

        /// Copies what counts of a tile that is `factor` times as fine as the window.
        void paste(Tensor tile, Tensor output, int factor) {
            int count = factor * (horizontal.to - horizontal.from);
            for (int c = 0; c < size(tile, 1); c++) {
                for (int y = factor * vertical.from; y < factor * vertical.to; y++) {
                    System.arraycopy(tile.data(), row(tile, c, y, factor), output.data(),
                            (c * size(output, 2) + y) * size(output, 3) + factor * horizontal.from, count);
                }
            }
        }

        /// Adds what counts of a tile to every channel's sums.
        void accumulate(Tensor tile, int factor, double[] sums, double[] squares) {
            int count = factor * (horizontal.to - horizontal.from);
            for (int c = 0; c < sums.length; c++) {
                for (int y = factor * vertical.from; y < factor * vertical.to; y++) {
                    int row = row(tile, c, y, factor);
                    for (int i = row; i < row + count; i++) {
                        double value = tile.data()[i];
                        sums[c] += value;
                        squares[c] += value * value;
                    }
                }
            }
        }

        private int row(Tensor tile, int c, int y, int factor) {
            return (c * size(tile, 2) + y - factor * vertical.start) * size(tile, 3)
                    + factor * (horizontal.from - horizontal.start);
        }
    }
}
