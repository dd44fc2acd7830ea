package atomstudio.diffusion.image.webp;

import java.io.IOException;
import java.util.Arrays;

/// The reversible transforms of a lossless WebP image. Pixels are ARGB.
/// Source: Google, Specification for WebP Lossless Bitstream, 4 (RFC 9649, 3.5).
sealed interface Vp8lTransform {
    /// Inverts the transform.
    /// @param pixels row-major; may be changed in place
    int[] undo(int[] pixels);

    /// One value of `data` per block of `1 << bits` by `1 << bits` pixels.
    /// @param width of the image
    record Blocks(int width, int bits, int[] data) {
        int at(int x, int y) {
            return data[(y >> bits) * Vp8lDecoder.blockCount(width, bits) + (x >> bits)];
        }
    }

    /// Green was subtracted from red and blue.
    record SubtractGreen() implements Vp8lTransform {
        @Override
        public int[] undo(int[] pixels) {
            for (int i = 0; i < pixels.length; i++) {
                int green = pixels[i] >> 8 & 0xFF;
                pixels[i] = pixels[i] & 0xFF00FF00 | (pixels[i] & 0xFF00FF) + (green << 16 | green) & 0xFF00FF;
            }
            return pixels;
        }
    }

    /// Multiples of green were subtracted from red and blue, and a multiple of red from blue.
    record CrossColour(Blocks blocks) implements Vp8lTransform {
        @Override
        public int[] undo(int[] pixels) {
            for (int i = 0; i < pixels.length; i++) {
                int factors = blocks.at(i % blocks.width, i / blocks.width);
                int pixel = pixels[i];
                byte green = (byte) (pixel >> 8);
                int red = (pixel >> 16) + ((byte) factors * green >> 5) & 0xFF;
                int blue = pixel + ((byte) (factors >> 8) * green >> 5) + ((byte) (factors >> 16) * (byte) red >> 5)
                        & 0xFF;
                pixels[i] = pixel & 0xFF00FF00 | red << 16 | blue;
            }
            return pixels;
        }
    }

    /// Pixels are indices into a palette; several are packed into one pixel where the palette is small.
    /// @param width of the image
    record ColourIndexing(int width, int height, int[] colours) implements Vp8lTransform {
        /// The base 2 logarithm of the number of indices per pixel.
        static int packingBits(int colours) {
            return colours <= 2 ? 3 : colours <= 4 ? 2 : colours <= 16 ? 1 : 0;
        }

        @Override
        public int[] undo(int[] pixels) {
            int packingBits = packingBits(colours.length);
            int bitsPerIndex = 8 >> packingBits;
            int packedWidth = Vp8lDecoder.blockCount(width, packingBits);
            int[] table = Arrays.copyOf(colours, 256);
            int[] unpacked = new int[width * height];
            for (int i = 0; i < unpacked.length; i++) {
                int x = i % width;
                int packedIndices = pixels[i / width * packedWidth + (x >> packingBits)] >> 8 & 0xFF;
                unpacked[i] = table[packedIndices >> (x & (1 << packingBits) - 1) * bitsPerIndex
                        & (1 << bitsPerIndex) - 1];
            }
            return unpacked;
        }
    }

    /// A prediction from neighbouring pixels was subtracted; each block has one of 14 modes.
    record Predictor(Blocks blocks) implements Vp8lTransform {
        private static final int BLACK = 0xFF000000;

        @Override
        public int[] undo(int[] pixels) {
            int width = blocks.width;
            for (int i = 0; i < pixels.length; i++) {
                int x = i % width;
                int predicted;
                if (i == 0) predicted = BLACK;
                else if (i < width) predicted = pixels[i - 1];
                else if (x == 0) predicted = pixels[i - width];
                else predicted = predict(blocks.at(x, i / width) >> 8 & 0xF, pixels, i);
                pixels[i] = addPixels(pixels[i], predicted);
            }
            return pixels;
        }

        private int predict(int mode, int[] pixels, int i) {
            int left = pixels[i - 1];
            int top = pixels[i - blocks.width];
            int topLeft = pixels[i - blocks.width - 1];
            // In the last column this is the first pixel of the current row, as specified.
            int topRight = pixels[i - blocks.width + 1];
            return switch (mode) {
                case 1 -> left;
                case 2 -> top;
                case 3 -> topRight;
                case 4 -> topLeft;
                case 5 -> average(average(left, topRight), top);
                case 6 -> average(left, topLeft);
                case 7 -> average(left, top);
                case 8 -> average(topLeft, top);
                case 9 -> average(top, topRight);
                case 10 -> average(average(left, topLeft), average(top, topRight));
                case 11 -> select(left, top, topLeft);
                case 12 -> clampAddSubtractFull(left, top, topLeft);
                case 13 -> clampAddSubtractHalf(average(left, top), topLeft);
                default -> BLACK;
            };
        }

        /// Per-channel sum modulo 256.
        private static int addPixels(int a, int b) {
            return (a & 0xFF00FF00) + (b & 0xFF00FF00) & 0xFF00FF00 | (a & 0xFF00FF) + (b & 0xFF00FF) & 0xFF00FF;
        }

        private static int average(int a, int b) {
            return ((a ^ b) >>> 1 & 0x7F7F7F7F) + (a & b);
        }

        private static int select(int left, int top, int topLeft) {
            int fromLeft = 0;
            int fromTop = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                fromLeft += Math.abs((top >> shift & 0xFF) - (topLeft >> shift & 0xFF));
                fromTop += Math.abs((left >> shift & 0xFF) - (topLeft >> shift & 0xFF));
            }
            return fromLeft < fromTop ? left : top;
        }

        private static int clampAddSubtractFull(int left, int top, int topLeft) {
            int pixel = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                pixel |= Math.clamp((left >> shift & 0xFF) + (top >> shift & 0xFF) - (topLeft >> shift & 0xFF), 0, 255)
                        << shift;
            }
            return pixel;
        }

        private static int clampAddSubtractHalf(int mean, int topLeft) {
            int pixel = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                int from = mean >> shift & 0xFF;
                pixel |= Math.clamp(from + (from - (topLeft >> shift & 0xFF)) / 2, 0, 255) << shift;
            }
            return pixel;
        }
    }

    static Vp8lTransform read(Vp8lDecoder decoder, int type) throws IOException {
        return switch (type) {
            case 0 -> new Predictor(decoder.readBlocks());
            case 1 -> new CrossColour(decoder.readBlocks());
            case 2 -> new SubtractGreen();
            default -> decoder.readPalette();
        };
    }
}
