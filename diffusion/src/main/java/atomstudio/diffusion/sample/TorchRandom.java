package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// PyTorch's CPU generator: the same numbers as `torch.Generator().manual_seed(seed)`, so that a seed gives the same
/// image as in other programs. Not thread-safe.
///
/// Source: Matsumoto and Nishimura 1998, "Mersenne Twister" (mt19937); Box and Muller 1958. The choice of bits for
/// uniform numbers and the order of their pairs are PyTorch's.
public final class TorchRandom {
    private static final int STATE_SIZE = 624;
    private static final int SHIFT_SIZE = 397;
    private static final int BLOCK = 16;

    private final int[] state = new int[STATE_SIZE];
    private int index = STATE_SIZE;
    private double spareNormal = Double.NaN;

    /// Only the low 32 bits of the seed are used, as in PyTorch.
    public TorchRandom(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < STATE_SIZE; i++) state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
    }

    /// `torch.randn(shape, generator=...)` in float32.
    public Tensor randn(Shape shape) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        if (values.length < BLOCK) {
            for (int i = 0; i < values.length; i++) values[i] = (float) nextNormal();
        } else {
            fillNormal(values);
        }
        return new Tensor(shape, values);
    }

    /// `torch.randint`: 0 to `bound` - 1.
    public int randint(int bound) {
        if (bound <= 0) throw new IllegalArgumentException("bound: expected a positive number, found " + bound);
        return Integer.remainderUnsigned(nextWord(), bound);
    }

    /// In blocks of sixteen; the last block ends with the array and redraws what it overlaps.
    private void fillNormal(float[] values) {
        for (int i = 0; i < values.length; i++) values[i] = nextUniform();
        for (int start = 0; start <= values.length - BLOCK; start += BLOCK) boxMuller(values, start);
        if (values.length % BLOCK != 0) {
            int tail = values.length - BLOCK;
            for (int i = tail; i < values.length; i++) values[i] = nextUniform();
            boxMuller(values, tail);
        }
    }

    /// Pairs number j with j + 8. Radius and angle are rounded to float32 where PyTorch's kernel rounds them.
    private static void boxMuller(float[] values, int start) {
        for (int j = start; j < start + BLOCK / 2; j++) {
            float radius = (float) Math.sqrt(-2f * (float) Math.log(1f - values[j]));
            float angle = (float) (2 * Math.PI) * values[j + BLOCK / 2];
            values[j] = radius * (float) Math.cos(angle);
            values[j + BLOCK / 2] = radius * (float) Math.sin(angle);
        }
    }

    /// For fewer than sixteen numbers: in double precision, the second of a pair kept for the next draw.
    private double nextNormal() {
        if (!Double.isNaN(spareNormal)) {
            double value = spareNormal;
            spareNormal = Double.NaN;
            return value;
        }
        double angle = 2 * Math.PI * nextUniformDouble();
        double radius = Math.sqrt(-2 * Math.log1p(-nextUniformDouble()));
        spareNormal = radius * Math.sin(angle);
        return radius * Math.cos(angle);
    }

    /// In [0, 1): the low 24 bits of a word.
    private float nextUniform() {
        return (nextWord() & 0xFFFFFF) * 0x1p-24f;
    }

    /// In [0, 1): the low 53 bits of two words, the first one high.
    private double nextUniformDouble() {
        long high = Integer.toUnsignedLong(nextWord());
        long low = Integer.toUnsignedLong(nextWord());
        return ((high << 32 | low) & (1L << 53) - 1) * 0x1p-53;
    }

    private int nextWord() {
        if (index == STATE_SIZE) twist();
        int y = state[index++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9D2C5680;
        y ^= y << 15 & 0xEFC60000;
        return y ^ y >>> 18;
    }

    private void twist() {
        for (int i = 0; i < STATE_SIZE; i++) {
            int mixed = state[i] & 0x80000000 | state[(i + 1) % STATE_SIZE] & 0x7FFFFFFF;
            state[i] = state[(i + SHIFT_SIZE) % STATE_SIZE] ^ mixed >>> 1 ^ ((mixed & 1) == 0 ? 0 : 0x9908B0DF);
        }
        index = 0;
    }
}
