package atomstudio.app.dataset;

import atomstudio.app.desktop.DisplayFormat;
import java.nio.file.Path;
import java.util.List;

/// A folder `subject.json` + pictures. `className` may still be empty; tuning waits for it.
/// @param photos the picture files, in the order they came
/// @param sidecarFiles   captions and masks of these pictures
public record Subject(String name, Path folder, String className, String triggerWord, List<Path> photos,
        List<Path> sidecarFiles) {
    public static final String DEFAULT_TRIGGER_WORD = "sks";
    /// What a subject of loose pictures is called until it has a class word.
    public static final String DEFAULT_NAME = "subject";

    public Subject {
        photos = List.copyOf(photos);
        sidecarFiles = List.copyOf(sidecarFiles);
    }

    /// Without captions and masks.
    public Subject(String name, Path folder, String className, String triggerWord, List<Path> photos) {
        this(name, folder, className, triggerWord, photos, List.of());
    }

    /// `6 pictures · 2 captions · 1 mask`.
    public String summary() {
        long captions = sidecarFiles.stream().filter(SidecarFiles::isCaption).count();
        long masks = sidecarFiles.size() - captions;
        return DisplayFormat.plural(photos.size(), "picture")
                + (captions == 0 ? "" : " · " + DisplayFormat.plural(captions, "caption"))
                + (masks == 0 ? "" : " · " + DisplayFormat.plural(masks, "mask"));
    }

    /// Its name for people: that of its folder, or the class word where the folder's says nothing.
    public String title() {
        return className.isEmpty() || !name.matches(DEFAULT_NAME + "(-\\d+)?") ? name : className;
    }

    /// What stands for the subject in a prompt: `sks car`.
    public String promptPhrase() {
        return triggerWord.isEmpty() ? className : triggerWord + " " + className;
    }

    public Path photoFolder() {
        return folder.resolve("pictures");
    }

    public Subject with(String newClassName, String newTriggerWord) {
        return new Subject(name, folder, newClassName, newTriggerWord, photos, sidecarFiles);
    }

    /// A subject that comes with the studio. `cover` is one of its pictures.
    public record SampleSubject(String name, String className, Path folder, Path cover) {}
}
