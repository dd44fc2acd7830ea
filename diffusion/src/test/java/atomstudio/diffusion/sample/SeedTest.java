package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class SeedTest {
    @Test
    void parsesSeedsLikePyTorch() {
        assertEquals(OptionalLong.of(0), Seed.parse("0"));
        assertEquals(OptionalLong.of(Long.MIN_VALUE), Seed.parse("9223372036854775808"));
        assertEquals(OptionalLong.of(-1), Seed.parse(" 18446744073709551615 "));
        assertEquals(OptionalLong.of(-1), Seed.parse("-1"));
        for (String other : new String[] {"", "18446744073709551616", "1.5", "0x1", "-9223372036854775809", "many"})
            assertEquals(OptionalLong.empty(), Seed.parse(other), other);
    }

    @Test
    void formatsParsedSeedsUnchanged() {
        for (String seed : new String[] {"0", "77", "9223372036854775807", "9223372036854775808",
                "18446744073709551615"}) {
            assertEquals(seed, Seed.format(Seed.parse(seed).orElseThrow()));
        }
    }
}
