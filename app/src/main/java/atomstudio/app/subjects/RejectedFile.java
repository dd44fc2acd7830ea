package atomstudio.app.subjects;

/// A file that was not taken, and why, in one sentence.
public record RejectedFile(String file, String reason) {
    /// `notes.txt: expected a picture, …`, without the path that a reason may begin with: the name is enough here.
    public String message() {
        int index = reason.indexOf(file + ": ");
        return file + ": " + (index >= 0 ? reason.substring(index + file.length() + 2) : reason);
    }
}
