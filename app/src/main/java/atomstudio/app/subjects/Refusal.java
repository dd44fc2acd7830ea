package atomstudio.app.subjects;

/// A file that was not taken, and why, in one sentence.
public record Refusal(String file, String reason) {
    /// `notes.txt: expected a picture, …`, without the path that a reason may begin with: the name is enough here.
    public String line() {
        int at = reason.indexOf(file + ": ");
        return file + ": " + (at >= 0 ? reason.substring(at + file.length() + 2) : reason);
    }
}
