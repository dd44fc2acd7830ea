package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Decodes large images in little memory without seams: the decoder's last levels, which need nearly all of it,
/// run on tiles.
///
/// The result equals the whole decoder's up to rounding. Tiles have a margin as wide as the receptive field of
/// their convolutions, which is cropped, and group norms use statistics over all tiles. A norm's statistics depend
/// on the norms before it, so each norm needs a pass over the tiles: about four times the level's own time. (Tiles
/// with their own statistics, blended where they overlap, differed from the whole image by 3 to 7 of 255 levels on
/// average and by 20 to 90 at most, on two photos with the default model; see
/// docs/decisions/img2img.md.)
///
/// @param tileSide without margin, in pixels of a level's input
record TiledDecoding(Vae vae, TileDecoder decoder, int tileSide) {
    private static final double EPSILON = 1e-6;

    /// @param latents divided by the scaling factor, (1, 4, h, w)
    /// @param wholeLevels levels decoded at once, before tiles begin
    Tensor decode(Tensor latents, int wholeLevels) throws Failure {
        Tensor features = decoder.decodeHead(latents, wholeLevels);
        for (int level = wholeLevels; level < vae.levels(); level++) features = decodeLevel(level, features);
        return features;
    }

    private Tensor decodeLevel(int level, Tensor features) throws Failure {
        List<LayerWeights<Tensor>> norms = new ArrayList<>();
        while (norms.size() < vae.normCount(level)) norms.add(normalization(level, features, norms));
        int factor = upscaling(level);
        List<Tile> tiles = tiles(level, features);
        Tensor first = decoder.decodeTile(tiles.getFirst().crop(features), level, norms);
        Shape shape = first.shape().with(2, factor * size(features, 2)).with(3, factor * size(features, 3));
        Tensor output = Tensor.zeros(shape);
        tiles.getFirst().paste(first, output, factor);
        for (Tile tile : tiles.subList(1, tiles.size()))
            tile.paste(decoder.decodeTile(tile.crop(features), level, norms), output, factor);
        return output;
    }

    private static int upscaling(int level) {
        return level == 0 ? 1 : 2;
    }

    /// Scale and shift per channel of the next group norm, over all tiles.
    private LayerWeights<Tensor> normalization(int level, Tensor features, List<LayerWeights<Tensor>> previousNorms)
            throws Failure {
        int factor = upscaling(level);
        double[] sums = new double[0];
        double[] squares = new double[0];
        for (Tile tile : tiles(level, features)) {
            Tensor output = decoder.decodeTile(tile.crop(features), level, previousNorms);
            if (sums.length == 0) {
                sums = new double[size(output, 1)];
                squares = new double[sums.length];
            }
            tile.accumulate(output, factor, sums, squares);
        }
        long pixels = (long) factor * factor * size(features, 2) * size(features, 3);
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
            double variance = Math.max(0, square / groupSize / pixels - mean * mean);
            double inverseStd = 1 / Math.sqrt(variance + EPSILON);
            for (int c = first; c < first + groupSize; c++) {
                scale[c] = (float) inverseStd;
                shift[c] = (float) (-mean * inverseStd);
            }
        }
        Shape shape = Shape.of(1, channels, 1, 1);
        return new LayerWeights<>(new Tensor(shape, scale), new Tensor(shape, shift));
    }

    private List<Tile> tiles(int level, Tensor features) {
        int receptiveField = 2 * (vae.layersPerBlock() + 1) + 2;
        int margin = level == 0 ? receptiveField : receptiveField / 2 + 1;
        List<Tile> tiles = new ArrayList<>();
        for (Tile.Span vertical : spans(size(features, 2), margin))
            for (Tile.Span horizontal : spans(size(features, 3), margin)) tiles.add(new Tile(vertical, horizontal));
        return tiles;
    }

    private List<Tile.Span> spans(int length, int margin) {
        List<Tile.Span> spans = new ArrayList<>();
        int spanLength = Math.min(length, tileSide + 2 * margin);
        for (int from = 0; from < length; from += tileSide) {
            int start = Math.clamp(from - margin, 0, length - spanLength);
            spans.add(new Tile.Span(start, spanLength, from, Math.min(from + tileSide, length)));
        }
        return spans;
    }

    private static int size(Tensor tensor, int axis) {
        return Math.toIntExact(tensor.shape().size(axis));
    }

    /// One tile of a level's input. All tiles of a level have the same size.
    private record Tile(Span vertical, Span horizontal) {
        /// One axis of a tile: its start and length with margin, and the part without margin.
        record Span(int start, int length, int from, int to) {}

        Tensor crop(Tensor features) {
            int channels = size(features, 1);
            Tensor crop = Tensor.zeros(Shape.of(1, channels, vertical.length, horizontal.length));
            for (int c = 0; c < channels; c++) {
                for (int y = 0; y < vertical.length; y++) {
                    int row = (c * size(features, 2) + vertical.start + y) * size(features, 3);
                    System.arraycopy(features.data(), row + horizontal.start, crop.data(),
                            (c * vertical.length + y) * horizontal.length, horizontal.length);
                }
            }
            return crop;
        }

        /// Copies a decoded tile without margin; `factor` is the upscaling of the level.
        void paste(Tensor decoded, Tensor output, int factor) {
            int count = factor * (horizontal.to - horizontal.from);
            for (int c = 0; c < size(decoded, 1); c++) {
                for (int y = factor * vertical.from; y < factor * vertical.to; y++) {
                    System.arraycopy(decoded.data(), row(decoded, c, y, factor), output.data(),
                            (c * size(output, 2) + y) * size(output, 3) + factor * horizontal.from, count);
                }
            }
        }

        /// Adds a decoded tile without margin to the sums per channel.
        void accumulate(Tensor decoded, int factor, double[] sums, double[] squares) {
            int count = factor * (horizontal.to - horizontal.from);
            for (int c = 0; c < sums.length; c++) {
                for (int y = factor * vertical.from; y < factor * vertical.to; y++) {
                    int row = row(decoded, c, y, factor);
                    for (int i = row; i < row + count; i++) {
                        double value = decoded.data()[i];
                        sums[c] += value;
                        squares[c] += value * value;
                    }
                }
            }
        }

        private int row(Tensor decoded, int c, int y, int factor) {
            return (c * size(decoded, 2) + y - factor * vertical.start) * size(decoded, 3)
                    + factor * (horizontal.from - horizontal.start);
        }
    }
}
