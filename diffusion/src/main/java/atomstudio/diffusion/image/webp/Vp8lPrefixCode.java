package atomstudio.diffusion.image.webp;

import java.io.IOException;
import javax.imageio.IIOException;

/// A prefix code (Huffman code) of a lossless WebP image.
/// Source: Google, Specification for WebP Lossless Bitstream, 6.2 (RFC 9649, 3.7.2).
final class Vp8lPrefixCode {
    private static final int MAX_CODE_LENGTH = 15;
    /// Codes up to this length are decoded by one table lookup.
    private static final int TABLE_BITS = 8;
    private static final int[] LENGTH_ORDER = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    /// The symbols with codes, sorted by code length, then by value.
    private final char[] symbols;
    /// Number of codes of each length.
    private final int[] counts;
    /// Indexed by the next bits: the symbol, and the code length in the lowest four bits; zero for longer codes.
    private final char[] table;
    private final int tableBits;

    private Vp8lPrefixCode(int[] lengths) throws IOException {
        counts = new int[MAX_CODE_LENGTH + 1];
        int longest = 0;
        int usedSymbols = 0;
        for (int length : lengths) {
            counts[length]++;
            longest = Math.max(longest, length);
            usedSymbols += length > 0 ? 1 : 0;
        }
        counts[0] = 0;
        symbols = sortSymbols(lengths, usedSymbols);
        tableBits = Math.min(longest, TABLE_BITS);
        if (usedSymbols > 1) requireComplete();
        table = usedSymbols > 1 ? table() : new char[0];
        if (usedSymbols == 0) throw new IIOException("its lossless image has a prefix code without symbols");
    }

    private static char[] sortSymbols(int[] lengths, int usedSymbols) {
        char[] sorted = new char[usedSymbols];
        int at = 0;
        for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
            for (int symbol = 0; symbol < lengths.length && at < usedSymbols; symbol++)
                if (lengths[symbol] == length) sorted[at++] = (char) symbol;
        }
        return sorted;
    }

    private void requireComplete() throws IIOException {
        int free = 1;
        for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
            free = 2 * free - counts[length];
            if (free < 0) break;
        }
        if (free != 0) throw new IIOException("its lossless image has an incomplete prefix code");
    }

    private char[] table() {
        char[] filled = new char[1 << tableBits];
        int code = 0;
        int at = 0;
        for (int length = 1; length <= tableBits; length++, code <<= 1) {
            for (int i = 0; i < counts[length]; i++, code++) {
                int reversed = Integer.reverse(code) >>> 32 - length;
                for (int index = reversed; index < filled.length; index += 1 << length)
                    filled[index] = (char) (symbols[at] << 4 | length);
                at++;
            }
        }
        return filled;
    }

    /// Reads the next symbol. A code with a single symbol has no bits.
    int readSymbol(Vp8lBitReader bits) throws IOException {
        if (symbols.length == 1) return symbols[0];
        int entry = table[bits.peek(tableBits)];
        if (entry == 0) return readLongCode(bits);
        bits.skip(entry & 15);
        return entry >> 4;
    }

    private int readLongCode(Vp8lBitReader bits) throws IOException {
        int code = 0;
        int first = 0;
        int at = 0;
        for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
            code |= bits.read(1);
            int offset = code - first;
            if (offset < counts[length]) return symbols[at + offset];
            at += counts[length];
            first = first + counts[length] << 1;
            code <<= 1;
        }
        throw new IIOException("its lossless image has an invalid prefix code");
    }

    /// Reads the definition of a code.
    /// @param alphabetSize number of symbols
    static Vp8lPrefixCode read(Vp8lBitReader bits, int alphabetSize) throws IOException {
        int[] lengths = new int[alphabetSize];
        if (bits.readFlag()) {
            int symbols = bits.read(1) + 1;
            lengths[requireInAlphabet(bits.read(bits.readFlag() ? 8 : 1), alphabetSize)] = 1;
            if (symbols == 2) lengths[requireInAlphabet(bits.read(8), alphabetSize)] = 1;
            return new Vp8lPrefixCode(lengths);
        }
        int[] codeLengthLengths = new int[LENGTH_ORDER.length];
        int count = 4 + bits.read(4);
        for (int i = 0; i < count; i++) codeLengthLengths[LENGTH_ORDER[i]] = bits.read(3);
        readLengths(bits, new Vp8lPrefixCode(codeLengthLengths), lengths);
        return new Vp8lPrefixCode(lengths);
    }

    private static int requireInAlphabet(int value, int alphabetSize) throws IIOException {
        if (value >= alphabetSize) throw new IIOException("its lossless image has a symbol beyond its alphabet");
        return value;
    }

    private static void readLengths(Vp8lBitReader bits, Vp8lPrefixCode code, int[] lengths) throws IOException {
        int remaining = lengths.length;
        if (bits.readFlag()) remaining = 2 + bits.read(2 + 2 * bits.read(3));
        if (remaining > lengths.length) throw new IIOException("its lossless image has more code lengths than symbols");
        int previousLength = 8;
        for (int symbol = 0; symbol < lengths.length && remaining-- > 0;) {
            int length = code.readSymbol(bits);
            if (length < 16) {
                lengths[symbol++] = length;
                if (length > 0) previousLength = length;
                continue;
            }
            int repeated = length == 16 ? previousLength : 0;
            int times = switch (length) {
                case 16 -> 3 + bits.read(2);
                case 17 -> 3 + bits.read(3);
                default -> 11 + bits.read(7);
            };
            if (symbol + times > lengths.length)
                throw new IIOException("its lossless image has more code lengths than symbols");
            for (int i = 0; i < times; i++) lengths[symbol++] = repeated;
        }
    }
}
