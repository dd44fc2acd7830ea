package atomstudio.app.experiment;

import java.util.List;
import java.util.Optional;

/// A subject of the experiment: its folder's name, the class word it is tuned under, and whether the model knows that
/// class.
public record ExperimentSubject(String name, String className, SubjectKind kind) {
    /// The usual case, and the hard one.
    public enum SubjectKind {
        KNOWN_CLASS("known class"), NEW_CLASS("new class");

        private final String label;

        SubjectKind(String label) {
            this.label = label;
        }

        /// In tables and plots.
        public String label() {
            return label;
        }
    }

    /// The sample subjects. A class that the embedded model has never seen has a general word that it knows.
    private static final List<ExperimentSubject> SAMPLE_SUBJECTS = List.of(known("boat", "sailboat"),
            known("clock", "clock"), known("ghost", "ghost"),
            known("owl", "owl"), known("cat", "cat"), known("car", "car"), unseen("teapot", "object"),
            unseen("violin", "object"), unseen("backpack", "object"), unseen("cactus", "plant"));

    /// One of the sample subjects by its name, or a subject of one's own as `NAME:CLASS`, whose class the model is
    /// taken to know.
    public static Optional<ExperimentSubject> ofName(String name) {
        int colon = name.indexOf(':');
        if (colon > 0 && colon < name.length() - 1)
            return Optional.of(known(name.substring(0, colon), name.substring(colon + 1)));
        return SAMPLE_SUBJECTS.stream().filter(subject -> subject.name.equals(name)).findFirst();
    }

    public static List<String> names() {
        return SAMPLE_SUBJECTS.stream().map(ExperimentSubject::name).toList();
    }

    private static ExperimentSubject known(String name, String className) {
        return new ExperimentSubject(name, className, SubjectKind.KNOWN_CLASS);
    }

    private static ExperimentSubject unseen(String name, String className) {
        return new ExperimentSubject(name, className, SubjectKind.NEW_CLASS);
    }
}
