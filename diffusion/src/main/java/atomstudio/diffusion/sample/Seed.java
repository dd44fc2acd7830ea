package atomstudio.diffusion.sample;

import java.util.OptionalLong;

/// Seeds as people write them: 0 to 2^64 − 1, as PyTorch's `manual_seed` takes them, held in a `long` whose bits they
/// are. As there, a negative number stands for the same bits.
public final class Seed {
    /// How large a seed may be, in words.
    public static final String RANGE = "a whole number from 0 to 18446744073709551615";

    private Seed() {}

    /// Empty for what is no such number.
    public static OptionalLong parse(String text) {
        String digits = text.strip();
        try {
            return OptionalLong.of(digits.startsWith("-") ? Long.parseLong(digits) : Long.parseUnsignedLong(digits));
        } catch (NumberFormatException notANumber) {
            return OptionalLong.empty();
        }
    }

    public static String format(long seed) {
        return Long.toUnsignedString(seed);
    }
}
