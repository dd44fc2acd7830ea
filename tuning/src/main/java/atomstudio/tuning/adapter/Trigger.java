package atomstudio.tuning.adapter;

/// The trigger words of an adapter: placeholder token and class word.
public record Trigger(String token, String className) {
    /// The words as in a prompt: "sks car".
    public String text() {
        return token + " " + className;
    }
}
