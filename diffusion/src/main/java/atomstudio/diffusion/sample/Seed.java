package atomstudio.diffusion.sample;

import java.util.OptionalLong;

/// Seeds as text: 0 to 2^64 − 1 as in PyTorch's `manual_seed`, stored as the bits of a `long`. Negative numbers are
/// read as their two's complement bits, as in PyTorch.
public final class Seed {
    /// The valid range, for messages.
    public static final String RANGE = "a whole number from 0 to 18446744073709551615";

    private Seed() {}

    /// Empty if the text is not a valid seed.
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
