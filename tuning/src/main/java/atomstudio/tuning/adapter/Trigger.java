package atomstudio.tuning.adapter;

/// The words that an adapter answers to.
public record Trigger(String token, String className) {
    /// As they stand in a prompt: "sks car".
    public String text() {
        return token + " " + className;
    }
}
