package atomstudio.diffusion.ops;

/// How many heads the channels are cut into, and which tokens a token may see.
public record Attention(int heads, Mask mask) {
    public enum Mask { NONE, CAUSAL }

    public static Attention of(int heads) {
        return new Attention(heads, Mask.NONE);
    }
}
