package atomstudio.diffusion.ops;

/// How many heads the channels are cut into, and which tokens a token may see.
public record AttentionConfig(int heads, Mask mask) {
    public enum Mask { NONE, CAUSAL }

    public static AttentionConfig of(int heads) {
        return new AttentionConfig(heads, Mask.NONE);
    }
}
