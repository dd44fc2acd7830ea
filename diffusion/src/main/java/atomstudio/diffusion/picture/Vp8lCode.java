package atomstudio.diffusion.picture;

import java.io.IOException;
import javax.imageio.IIOException;

/// A prefix code of a lossless WebP picture.
/// Source: Google, Specification for WebP Lossless Bitstream, 6.2 (RFC 9649, 3.7.2).
final class Vp8lCode {
    private static final int LONGEST = 15;
    /// Codes up to this length are looked up in a table at once.
    private static final int TABLE_BITS = 8;
    private static final int[] LENGTH_ORDER = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    /// The symbols with codes, by the length of the code, then by value.
    private final char[] symbols;
    /// How many codes have a length.
    private final int[] counts;
    /// By the next bits, a symbol and its code's length in the lowest four bits; zero where the code is longer.
    private final char[] table;
    private final int tableBits;

    private Vp8lCode(int[] lengths) throws IOException {
        counts = new int[LONGEST + 1];
        int longest = 0;
        int used = 0;
        for (int length : lengths) {
            counts[length]++;
            longest = Math.max(longest, length);
            used += length > 0 ? 1 : 0;
        }
        counts[0] = 0;
        symbols = sorted(lengths, used);
        tableBits = Math.min(longest, TABLE_BITS);
        if (used > 1) requireComplete();
        table = used > 1 ? table() : new char[0];
        if (used == 0) throw new IIOException("a prefix code without symbols");
    }

    private static char[] sorted(int[] lengths, int used) {
        char[] sorted = new char[used];
        int at = 0;
        for (int length = 1; length <= LONGEST; length++) {
            for (int symbol = 0; symbol < lengths.length && at < used; symbol++) if (lengths[symbol] == length) sorted[at++] = (char) symbol;
        }
        return sorted;
    }

    private void requireComplete() throws IIOException {
        int free = 1;
        for (int length = 1; length <= LONGEST; length++) {
            free = 2 * free - counts[length];
            if (free < 0) break;
        }
        if (free != 0) throw new IIOException("a prefix code that is not complete");
    }

    private char[] table() {
        char[] filled = new char[1 << tableBits];
        int code = 0;
        int at = 0;
        for (int length = 1; length <= tableBits; length++, code <<= 1) {
            for (int i = 0; i < counts[length]; i++, code++) {
                int reversed = Integer.reverse(code) >>> 32 - length;
                for (int index = reversed; index < filled.length; index += 1 << length) filled[index] = (char) (symbols[at] << 4 | length);
                at++;
            }
        }
        return filled;
    }

    /// The next symbol. A code of one symbol takes no bits.
    int next(Vp8lBits bits) throws IOException {
        if (symbols.length == 1) return symbols[0];
        int entry = table[bits.peek(tableBits)];
        if (entry == 0) return longer(bits);
        bits.skip(entry & 15);
        return entry >> 4;
    }

    private int longer(Vp8lBits bits) throws IOException {
        int code = 0;
        int first = 0;
        int at = 0;
        for (int length = 1; length <= LONGEST; length++) {
            code |= bits.read(1);
            int above = code - first;
            if (above < counts[length]) return symbols[at + above];
            at += counts[length];
            first = first + counts[length] << 1;
            code <<= 1;
        }
        throw new IIOException("bits that no prefix code has");
    }

    /// @param alphabet how many symbols there are
    static Vp8lCode read(Vp8lBits bits, int alphabet) throws IOException {
        int[] lengths = new int[alphabet];
        if (bits.flag()) {
            int symbols = bits.read(1) + 1;
            lengths[symbol(bits.read(bits.flag() ? 8 : 1), alphabet)] = 1;
            if (symbols == 2) lengths[symbol(bits.read(8), alphabet)] = 1;
            return new Vp8lCode(lengths);
        }
        int[] ofLengths = new int[LENGTH_ORDER.length];
        int count = 4 + bits.read(4);
        for (int i = 0; i < count; i++) ofLengths[LENGTH_ORDER[i]] = bits.read(3);
        readLengths(bits, new Vp8lCode(ofLengths), lengths);
        return new Vp8lCode(lengths);
    }

    private static int symbol(int value, int alphabet) throws IIOException {
        if (value >= alphabet) throw new IIOException("a symbol beyond its alphabet");
        return value;
    }

    private static void readLengths(Vp8lBits bits, Vp8lCode code, int[] lengths) throws IOException {
        int left = lengths.length;
        if (bits.flag()) left = 2 + bits.read(2 + 2 * bits.read(3));
        if (left > lengths.length) throw new IIOException("more code lengths than symbols");
        int before = 8;
        for (int symbol = 0; symbol < lengths.length && left-- > 0;) {
            int length = code.next(bits);
            if (length < 16) {
                lengths[symbol++] = length;
                if (length > 0) before = length;
                continue;
            }
            int repeated = length == 16 ? before : 0;
            int times = switch (length) {
                case 16 -> 3 + bits.read(2);
                case 17 -> 3 + bits.read(3);
                default -> 11 + bits.read(7);
            };
            if (symbol + times > lengths.length) throw new IIOException("more code lengths than symbols");
            for (int i = 0; i < times; i++) lengths[symbol++] = repeated;
        }
    }
}
