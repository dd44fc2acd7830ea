package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TextFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// What a picture is called in training. `{}` in a caption stands for the subject: its token and its class, or its
/// class alone for other members of the class.
public record Captions(String subject, String template, CaptionSubject describes) {
    /// Whose pictures they are of: those of the class need not say the class.
    enum CaptionSubject { SUBJECT, CLASS }


    private static final List<String> DEFAULT_TEMPLATES = List.of("a {}", "a photo of a {}", "a picture of a {}");

    public Captions(String subject, String template) {
        this(subject, template, CaptionSubject.SUBJECT);
    }

    public static Captions of(Trigger trigger, TrainingConfig config) {
        return new Captions(trigger.text(), config.data().captionTemplate());
    }

    /// Those of the class: what prior pictures are called, in the same template.
    public static Captions forClass(String className, TrainingConfig config) {
        return new Captions(className, config.data().captionTemplate(), CaptionSubject.CLASS);
    }

    /// Of pictures that have none of their own: the template's, or the usual ones.
    public List<String> defaults() {
        return (template.isEmpty() ? DEFAULT_TEMPLATES : List.of(template)).stream().map(this::fill).toList();
    }

    /// A file's captions, a line each; every time that the picture is seen, one of them is drawn.
    /// @throws Failure.Unreadable when it is no text, or nothing in it can be seen
    List<String> read(Path file) throws Failure {
        List<String> lines = TextFile.lines(file).stream().map(this::fill).toList();
        if (lines.isEmpty())
            throw new Failure.Unreadable(file
                    + ": expected a caption, found nothing in it that can be seen; write what the picture shows, with {} for the subject, or delete the file");
        return lines;
    }

    /// Whether a caption says what the adapter is to answer to: the token, which comes first in the subject.
    boolean mentionsSubject(String caption) {
        return describes == CaptionSubject.CLASS
                || caption.toLowerCase(Locale.ROOT).contains(subject.split(" ")[0].toLowerCase(Locale.ROOT));
    }

    private String fill(String caption) {
        return caption.replace(TrainingConfig.SUBJECT_PLACEHOLDER, subject);
    }
}
