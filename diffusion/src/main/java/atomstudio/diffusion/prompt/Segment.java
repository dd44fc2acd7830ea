package atomstudio.diffusion.prompt;

/// A part of a prompt as [PromptAttentionParser] reads it.
public sealed interface Segment {
    /// Text that is read at one weight; 1 leaves it as the text encoder says it.
    record Text(String text, double weight) implements Segment {}

    /// Where a chunk ends though it is not full.
    record Break() implements Segment {}
}
