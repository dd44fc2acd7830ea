package atomstudio.diffusion.prompt;

/// As many ids as a text encoder reads at a time, start and stop among them, and how much each weighs in what it says of them.
public record Chunk(int[] ids, float[] weights) {
    /// Whether everything is left as the text encoder says it.
    public boolean isUnweighted() {
        for (float weight : weights) if (weight != 1) return false;
        return true;
    }
}
