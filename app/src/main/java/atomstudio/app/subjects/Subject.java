package atomstudio.app.subjects;

import atomstudio.app.desktop.DisplayFormat;
import java.nio.file.Path;
import java.util.List;

/// A folder `subject.json` + pictures. `className` may still be empty; tuning waits for it.
/// @param pictures the picture files, in the order they came
/// @param beside   captions and masks of these pictures
public record Subject(String name, Path folder, String className, String token, List<Path> pictures, List<Path> beside) {
    public static final String USUAL_TOKEN = "sks";
    /// What a subject of loose pictures is called until it has a class word.
    public static final String UNNAMED = "subject";

    public Subject {
        pictures = List.copyOf(pictures);
        beside = List.copyOf(beside);
    }

    /// Without captions and masks.
    public Subject(String name, Path folder, String className, String token, List<Path> pictures) {
        this(name, folder, className, token, pictures, List.of());
    }

    /// `6 pictures · 2 captions · 1 mask`.
    public String line() {
        long captions = beside.stream().filter(Companions::caption).count();
        long masks = beside.size() - captions;
        return DisplayFormat.plural(pictures.size(), "picture") + (captions == 0 ? "" : " · " + DisplayFormat.plural(captions, "caption")) + (masks == 0 ? "" : " · " + DisplayFormat.plural(masks, "mask"));
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
        return new Subject(name, folder, newClass, newToken, pictures, beside);
    }
}
