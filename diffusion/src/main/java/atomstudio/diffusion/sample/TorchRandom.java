package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// PyTorch's random numbers on the CPU: the same seed draws the numbers of `torch.Generator().manual_seed(seed)`,
/// so that a seed gives the picture that other programs give. One owner, one thread.
///
/// Source: Matsumoto and Nishimura 1998, "Mersenne Twister" (mt19937); Box and Muller 1958. What is PyTorch's own is
/// which bits become which uniform number, and in which order pairs of them are used.
public final class TorchRandom {
    private static final int WORDS = 624;
    private static final int MIDDLE = 397;
    private static final int BLOCK = 16;

    private final int[] state = new int[WORDS];
    private int next = WORDS;
    private double spare = Double.NaN;

    /// Only the seed's low 32 bits reach the generator, as in PyTorch.
    public TorchRandom(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < WORDS; i++) state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
    }

    /// Standard normal numbers, as `torch.randn(shape, generator=...)` draws them in float32.
    public Tensor randn(Shape shape) {
        float[] numbers = new float[Math.toIntExact(shape.elements())];
        if (numbers.length < BLOCK) {
            for (int i = 0; i < numbers.length; i++) numbers[i] = (float) normal();
        } else {
            fill(numbers);
        }
        return new Tensor(shape, numbers);
    }

    /// A whole number from 0 to `bound` - 1, as `torch.randint` draws it.
    public int below(int bound) {
        if (bound <= 0) throw new IllegalArgumentException("bound: expected a positive number, found " + bound);
        return Integer.remainderUnsigned(word(), bound);
    }

    /// Sixteen uniform numbers become sixteen normal ones; the last block ends with the array and is drawn anew where it overlaps.
    private void fill(float[] numbers) {
        for (int i = 0; i < numbers.length; i++) numbers[i] = uniform();
        for (int at = 0; at <= numbers.length - BLOCK; at += BLOCK) boxMuller(numbers, at);
        if (numbers.length % BLOCK != 0) {
            int last = numbers.length - BLOCK;
            for (int i = last; i < numbers.length; i++) numbers[i] = uniform();
            boxMuller(numbers, last);
        }
    }

    /// Pairs number j with j + 8. Radius and angle are rounded to float32 where PyTorch's kernel rounds them.
    private static void boxMuller(float[] numbers, int at) {
        for (int j = at; j < at + BLOCK / 2; j++) {
            float radius = (float) Math.sqrt(-2f * (float) Math.log(1f - numbers[j]));
            float angle = (float) (2 * Math.PI) * numbers[j + BLOCK / 2];
            numbers[j] = radius * (float) Math.cos(angle);
            numbers[j + BLOCK / 2] = radius * (float) Math.sin(angle);
        }
    }

    /// The path of draws below sixteen numbers: double precision, the pair's second number kept for the next such draw.
    private double normal() {
        if (!Double.isNaN(spare)) {
            double kept = spare;
            spare = Double.NaN;
            return kept;
        }
        double angle = 2 * Math.PI * uniformDouble();
        double radius = Math.sqrt(-2 * Math.log1p(-uniformDouble()));
        spare = radius * Math.sin(angle);
        return radius * Math.cos(angle);
    }

    /// In [0, 1): the low 24 bits of a word.
    private float uniform() {
        return (word() & 0xFFFFFF) * 0x1p-24f;
    }

    /// In [0, 1): the low 53 bits of two words, the first one high.
    private double uniformDouble() {
        long high = Integer.toUnsignedLong(word());
        long low = Integer.toUnsignedLong(word());
        return ((high << 32 | low) & (1L << 53) - 1) * 0x1p-53;
    }

    private int word() {
        if (next == WORDS) twist();
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9D2C5680;
        y ^= y << 15 & 0xEFC60000;
        return y ^ y >>> 18;
    }

    private void twist() {
        for (int i = 0; i < WORDS; i++) {
            int mixed = state[i] & 0x80000000 | state[(i + 1) % WORDS] & 0x7FFFFFFF;
            state[i] = state[(i + MIDDLE) % WORDS] ^ mixed >>> 1 ^ ((mixed & 1) == 0 ? 0 : 0x9908B0DF);
        }
        next = 0;
    }
}
