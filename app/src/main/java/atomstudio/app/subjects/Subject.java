package atomstudio.app.subjects;

import java.nio.file.Path;
import java.util.List;

/// A folder `subject.json` + pictures. `className` may still be empty; tuning waits for it.
/// @param pictures the picture files, in the order they came
public record Subject(String name, Path folder, String className, String token, List<Path> pictures) {
    public static final String USUAL_TOKEN = "sks";
    /// What a subject of loose pictures is called until it has a class word.
    public static final String UNNAMED = "subject";

    public Subject {
        pictures = List.copyOf(pictures);
    }

    /// Its name for people: that of its folder, or the class word where the folder's says nothing.
    public String title() {
        return className.isEmpty() || !name.matches(UNNAMED + "(-\\d+)?") ? name : className;
    }

    /// What stands for the subject in a prompt: `sks car`.
    public String phrase() {
        return token.isEmpty() ? className : token + " " + className;
    }

    public Path pictureFolder() {
        return folder.resolve("pictures");
    }

    public Subject with(String newClass, String newToken) {
        return new Subject(name, folder, newClass, newToken, pictures);
    }
}
