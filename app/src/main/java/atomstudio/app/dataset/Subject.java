package atomstudio.app.dataset;

import static atomstudio.app.text.Texts.count;

import java.nio.file.Path;
import java.util.List;

/// A subject: a folder with `subject.json` and photos.
/// @param displayName that a person gave it; empty: see [#title]
/// @param className may be empty; training requires it
/// @param sidecarFiles captions and masks of the photos
public record Subject(String name, Path folder, String displayName, String className, String triggerWord,
        List<Path> photos, List<Path> sidecarFiles) {
    public static final String DEFAULT_TRIGGER_WORD = "sks";
    /// Name of a subject created from single files, shown until it has a class word.
    public static final String DEFAULT_NAME = "subject";

    public Subject {
        photos = List.copyOf(photos);
        sidecarFiles = List.copyOf(sidecarFiles);
    }

    /// Without a display name, captions and masks.
    public Subject(String name, Path folder, String className, String triggerWord, List<Path> photos) {
        this(name, folder, "", className, triggerWord, photos, List.of());
    }

    /// `6 photos · 2 captions · 1 mask`.
    public String summary() {
        long captions = sidecarFiles.stream().filter(SidecarFiles::isCaption).count();
        long masks = sidecarFiles.size() - captions;
        return count("dataset.photos", photos.size())
                + (captions == 0 ? "" : " · " + count("dataset.captions", captions))
                + (masks == 0 ? "" : " · " + count("dataset.masks", masks));
    }

    /// Display name, or else the folder's name, or the class word if the folder has a default name.
    public String title() {
        if (!displayName.isEmpty()) return displayName;
        return className.isEmpty() || !name.matches(DEFAULT_NAME + "(-\\d+)?") ? name : className;
    }

    /// The words for the subject in a prompt: `sks car`.
    public String promptPhrase() {
        return triggerWord.isEmpty() ? className : triggerWord + " " + className;
    }

    public Path photoFolder() {
        return folder.resolve("pictures");
    }

    public Subject with(String newClassName, String newTriggerWord) {
        return new Subject(name, folder, displayName, newClassName, newTriggerWord, photos, sidecarFiles);
    }

    /// With another display name; folder and runs keep their names.
    public Subject renamed(String newName) {
        return new Subject(name, folder, newName, className, triggerWord, photos, sidecarFiles);
    }

    /// A subject that is shipped with the program.
    /// @param cover one of its photos
    public record SampleSubject(String name, String className, Path folder, Path cover) {}
}
