package atomstudio.app.experiment;

import java.util.List;
import java.util.Optional;

/// A subject of the experiment: folder name, class, and whether the model knows the class.
public record ExperimentSubject(String name, String className, SubjectKind kind) {
    /// Whether the model knows the class of a subject.
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

    /// A class that the embedded model does not know is replaced by a general word that it knows.
    private static final List<ExperimentSubject> SAMPLE_SUBJECTS = List.of(known("boat", "sailboat"),
            known("clock", "clock"), known("ghost", "ghost"),
            known("owl", "owl"), known("cat", "cat"), known("car", "car"), unseen("teapot", "object"),
            unseen("violin", "object"), unseen("backpack", "object"), unseen("cactus", "plant"));

    /// A sample subject by its name, or another subject as `NAME:CLASS`, whose class the model is assumed to know.
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
