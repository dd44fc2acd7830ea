package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TextFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// The captions of photos or class images. `{}` in a caption stands for the subject: trigger word and class, or the
/// class alone for class images.
public record Captions(String subject, String template, CaptionSubject describes) {
    /// Captions of class images need not contain the class.
    enum CaptionSubject { SUBJECT, CLASS }

    private static final List<String> DEFAULT_TEMPLATES = List.of("a {}", "a photo of a {}", "a picture of a {}");

    public Captions(String subject, String template) {
        this(subject, template, CaptionSubject.SUBJECT);
    }

    public static Captions of(Trigger trigger, TrainingConfig config) {
        return new Captions(trigger.text(), config.data().captionTemplate());
    }

    /// Captions of class images, from the same template.
    public static Captions forClass(String className, TrainingConfig config) {
        return new Captions(className, config.data().captionTemplate(), CaptionSubject.CLASS);
    }

    /// Captions of photos without their own: from the config's template, or the built-in ones.
    public List<String> defaults() {
        return (template.isEmpty() ? DEFAULT_TEMPLATES : List.of(template)).stream().map(this::fill).toList();
    }

    /// A file's captions, one per line; one of them is sampled in each step.
    /// @throws Failure.Unreadable when it is not text, or blank
    List<String> read(Path file) throws Failure {
        List<String> lines = TextFile.lines(file).stream().map(this::fill).toList();
        if (lines.isEmpty())
            throw new Failure.Unreadable(file + ": expected a caption, found only blank text; describe the photo, "
                    + "with {} for the subject, or delete the file");
        return lines;
    }

    /// Whether a caption contains the trigger word, the first word of the subject.
    boolean mentionsSubject(String caption) {
        return describes == CaptionSubject.CLASS
                || caption.toLowerCase(Locale.ROOT).contains(subject.split(" ")[0].toLowerCase(Locale.ROOT));
    }

    private String fill(String caption) {
        return caption.replace(TrainingConfig.SUBJECT_PLACEHOLDER, subject);
    }
}
