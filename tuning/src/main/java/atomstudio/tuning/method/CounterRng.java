package atomstudio.tuning.method;

import java.nio.charset.StandardCharsets;

/// A counter-based random generator without state: each value is a function of the seed, the stream name and the
/// position, and the same on every machine and after a resume.
/// Source: Steele, Lea, Flood 2014 (SplitMix64), over FNV-1a of the name.
public record CounterRng(long seed, String stream) {
    /// 64 random bits.
    public long bits(long position) {
        return bits(key(), position);
    }

    /// Uniform in [0, 1).
    public double uniform(long position) {
        return uniform(key(), position);
    }

    /// A whole number in [0, bound).
    public int randint(int bound, long position) {
        return (int) (uniform(position) * bound);
    }

    /// `count` standard normal values; positions 2i and 2i + 1 make pair i (Box and Muller 1958).
    public float[] normals(int count) {
        float[] values = new float[count];
        long key = key();
        for (int i = 0; i < count; i += 2) {
            double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform(key, i)));
            double angle = 2 * Math.PI * uniform(key, i + 1);
            values[i] = (float) (radius * StrictMath.cos(angle));
            if (i + 1 < count) values[i + 1] = (float) (radius * StrictMath.sin(angle));
        }
        return values;
    }

    private long key() {
        long key = 0xcbf29ce484222325L;
        for (byte b : stream.getBytes(StandardCharsets.UTF_8)) key = (key ^ b & 0xFF) * 0x100000001b3L;
        return mix(mix(seed) ^ key);
    }

    private static long bits(long key, long position) {
        return mix(key + position * 0x9e3779b97f4a7c15L);
    }

    private static double uniform(long key, long position) {
        return (bits(key, position) >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z += 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
