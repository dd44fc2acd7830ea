package atomstudio.diffusion.image.webp;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.IIOException;

/// Decodes lossless WebP images, the format also of the alpha channel of lossy ones. The library for lossy images
/// decodes some of these incorrectly.
/// Source: Google, Specification for WebP Lossless Bitstream (RFC 9649, 3).
final class Vp8lDecoder {
    private static final int LITERAL_CODES = 256;
    private static final int LENGTH_CODES = 24;
    private static final int DISTANCE_CODES = 40;
    private static final int MAX_CACHE_BITS = 11;
    /// Distance codes up to this mean neighbouring pixels, encoded as 16 times the rows up plus 8 minus the columns
    /// left.
    private static final int NEIGHBOUR_CODES = 120;
    private static final int[] NEIGHBOUR_OFFSETS = {
            0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37, 0x39, 0x15, 0x1b,
            0x36, 0x3a, 0x25, 0x2b, 0x48, 0x04,
            0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b, 0x46, 0x4a, 0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03, 0x57, 0x59,
            0x13, 0x1d, 0x56, 0x5a, 0x23, 0x2d,
            0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e, 0x66, 0x6a, 0x22, 0x2e, 0x54, 0x5c,
            0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e,
            0x78, 0x01, 0x77, 0x79, 0x53, 0x5d, 0x11, 0x1f, 0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b,
            0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e,
            0x00, 0x74, 0x7c, 0x41, 0x4f, 0x10, 0x20, 0x62, 0x6e, 0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72, 0x7e, 0x61,
            0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70};

    private final Vp8lBitReader bits;
    private final int height;
    /// Width of the decoded pixels, smaller than the image where palette indices are packed.
    private int width;

    private Vp8lDecoder(Vp8lBitReader bits, int width, int height) {
        this.bits = bits;
        this.width = width;
        this.height = height;
    }

    /// Decodes the bit stream of a VP8L chunk without its header of five bytes.
    /// @return ARGB, row-major
    static int[] decode(byte[] stream, int width, int height) throws IOException {
        Vp8lDecoder decoder = new Vp8lDecoder(new Vp8lBitReader(stream), width, height);
        List<Vp8lTransform> transforms = decoder.readTransforms();
        int[] pixels = decoder.readPixels(decoder.width, height, true);
        for (Vp8lTransform transform : transforms.reversed()) pixels = transform.undo(pixels);
        return pixels;
    }

    /// The number of blocks of `1 << bits` pixels that cover a length.
    static int blockCount(int length, int bits) {
        return length + (1 << bits) - 1 >> bits;
    }

    private List<Vp8lTransform> readTransforms() throws IOException {
        List<Vp8lTransform> transforms = new ArrayList<>();
        int seenTypes = 0;
        while (bits.readFlag()) {
            int type = bits.read(2);
            if ((seenTypes >> type & 1) == 1)
                throw new IIOException("its lossless image has the same transform twice");
            seenTypes |= 1 << type;
            transforms.add(Vp8lTransform.read(this, type));
        }
        return transforms;
    }

    Vp8lTransform.Blocks readBlocks() throws IOException {
        int size = bits.read(3) + 2;
        return new Vp8lTransform.Blocks(width, size,
                readPixels(blockCount(width, size), blockCount(height, size), false));
    }

    Vp8lTransform.ColourIndexing readPalette() throws IOException {
        int[] colours = readPixels(bits.read(8) + 1, 1, false);
        for (int i = 1; i < colours.length; i++) {
            colours[i] = (colours[i] & 0xFF00FF00) + (colours[i - 1] & 0xFF00FF00) & 0xFF00FF00
                    | (colours[i] & 0xFF00FF) + (colours[i - 1] & 0xFF00FF) & 0xFF00FF;
        }
        Vp8lTransform.ColourIndexing palette = new Vp8lTransform.ColourIndexing(width, height, colours);
        width = blockCount(width, Vp8lTransform.ColourIndexing.packingBits(colours.length));
        return palette;
    }

    /// The five prefix codes of a part of the image.
    private record CodeGroup(Vp8lPrefixCode green, Vp8lPrefixCode red, Vp8lPrefixCode blue, Vp8lPrefixCode alpha,
            Vp8lPrefixCode distance) {
        static CodeGroup read(Vp8lBitReader bits, int cacheSize) throws IOException {
            return new CodeGroup(Vp8lPrefixCode.read(bits, LITERAL_CODES + LENGTH_CODES + cacheSize),
                    Vp8lPrefixCode.read(bits, LITERAL_CODES), Vp8lPrefixCode.read(bits, LITERAL_CODES),
                    Vp8lPrefixCode.read(bits, LITERAL_CODES), Vp8lPrefixCode.read(bits, DISTANCE_CODES));
        }
    }

    /// The code group of each pixel: one for the whole image, or one per block.
    private record CodeGroups(CodeGroup[] all, int bits, int blocksPerRow, int[] indices) {
        CodeGroup at(int x, int y) {
            return all.length == 1 ? all[0] : all[indices[(y >> bits) * blocksPerRow + (x >> bits)] >> 8 & 0xFFFF];
        }
    }

    /// @param isMainImage whether it is the image itself, which may have several code groups
    private int[] readPixels(int width, int height, boolean isMainImage) throws IOException {
        int cacheBits = bits.readFlag() ? bits.read(4) : 0;
        if (cacheBits > MAX_CACHE_BITS)
            throw new IIOException("its lossless image has a colour cache of " + cacheBits + " bits");
        CodeGroups groups = readCodeGroups(width, height, isMainImage && bits.readFlag(),
                cacheBits == 0 ? 0 : 1 << cacheBits);
        int[] pixels = new int[Math.multiplyExact(width, height)];
        int[] cache = new int[1 << cacheBits];
        int cached = 0;
        for (int i = 0; i < pixels.length;) {
            CodeGroup group = groups.at(i % width, i / width);
            int symbol = group.green.readSymbol(bits);
            if (symbol < LITERAL_CODES) {
                int red = group.red.readSymbol(bits);
                int blue = group.blue.readSymbol(bits);
                pixels[i++] = group.alpha.readSymbol(bits) << 24 | red << 16 | symbol << 8 | blue;
            } else if (symbol < LITERAL_CODES + LENGTH_CODES) {
                i = copyBackReference(group, symbol - LITERAL_CODES, pixels, i, width);
            } else {
                for (; cached < i; cached++) cache[cacheIndex(pixels[cached], cacheBits)] = pixels[cached];
                pixels[i++] = cache[symbol - LITERAL_CODES - LENGTH_CODES];
            }
        }
        return pixels;
    }

    private static int cacheIndex(int pixel, int cacheBits) {
        return 0x1E35A7BD * pixel >>> 32 - cacheBits;
    }

    private CodeGroups readCodeGroups(int width, int height, boolean hasSeveral, int cacheSize) throws IOException {
        if (!hasSeveral) return new CodeGroups(new CodeGroup[] {CodeGroup.read(bits, cacheSize)}, 0, 0, new int[0]);
        int size = bits.read(3) + 2;
        int blocksPerRow = blockCount(width, size);
        int[] indices = readPixels(blocksPerRow, blockCount(height, size), false);
        int maxIndex = 0;
        for (int index : indices) maxIndex = Math.max(maxIndex, index >> 8 & 0xFFFF);
        List<CodeGroup> all = new ArrayList<>();
        for (int i = 0; i <= maxIndex; i++) all.add(CodeGroup.read(bits, cacheSize));
        return new CodeGroups(all.toArray(CodeGroup[]::new), size, blocksPerRow, indices);
    }

    /// Copies earlier pixels.
    /// @return the index of the next pixel
    private int copyBackReference(CodeGroup group, int lengthCode, int[] pixels, int at, int width) throws IOException {
        int length = readPrefixValue(lengthCode);
        int distance = distance(readPrefixValue(group.distance.readSymbol(bits)), width);
        if (distance > at || length > pixels.length - at)
            throw new IIOException("its lossless image has an invalid back reference");
        for (int i = at; i < at + length; i++) pixels[i] = pixels[i - distance];
        return at + length;
    }

    private int readPrefixValue(int code) throws IOException {
        if (code < 4) return code + 1;
        int extra = code - 2 >> 1;
        return (2 + (code & 1) << extra) + bits.read(extra) + 1;
    }

    private static int distance(int code, int width) {
        if (code > NEIGHBOUR_CODES) return code - NEIGHBOUR_CODES;
        int offset = NEIGHBOUR_OFFSETS[code - 1];
        return Math.max(1, (offset >> 4) * width + 8 - (offset & 15));
    }
}
