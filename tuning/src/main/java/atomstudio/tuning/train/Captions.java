package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.prompt.TextFile;
import atomstudio.tuning.adapter.Trigger;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// What a picture is called in training. `{}` in a caption stands for the subject: its token and its class, or its class alone for
/// other members of the class.
record Captions(String subject, String template, Whose whose) {
    /// Whose pictures they are of: those of the class need not say the class.
    enum Whose { SUBJECT, CLASS }

    static final String PLACEHOLDER = "{}";
    private static final List<String> USUAL = List.of("a {}", "a photo of a {}", "a picture of a {}");

    Captions(String subject, String template) {
        this(subject, template, Whose.SUBJECT);
    }

    static Captions of(Trigger words, Recipe recipe) {
        return new Captions(words.text(), recipe.material().template());
    }

    /// Those of the class: what prior pictures are called, in the same template.
    static Captions ofClass(String className, Recipe recipe) {
        return new Captions(className, recipe.material().template(), Whose.CLASS);
    }

    /// Of pictures that have none of their own: the template's, or the usual ones.
    List<String> general() {
        return (template.isEmpty() ? USUAL : List.of(template)).stream().map(this::filled).toList();
    }

    /// A file's captions, a line each; every time that the picture is seen, one of them is drawn.
    /// @throws Failure.Unreadable when it is no text, or nothing in it can be seen
    List<String> read(Path file) throws Failure {
        List<String> lines = TextFile.lines(file).stream().map(this::filled).toList();
        if (lines.isEmpty()) throw new Failure.Unreadable(file + ": expected a caption, found nothing in it that can be seen; write what the picture shows, with {} for the subject, or delete the file");
        return lines;
    }

    /// Whether a caption says what the adapter is to answer to: the token, which comes first in the subject.
    boolean names(String caption) {
        return whose == Whose.CLASS || caption.toLowerCase(Locale.ROOT).contains(subject.split(" ")[0].toLowerCase(Locale.ROOT));
    }

    private String filled(String caption) {
        return caption.replace(PLACEHOLDER, subject);
    }
}
