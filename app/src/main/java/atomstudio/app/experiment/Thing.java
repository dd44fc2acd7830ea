package atomstudio.app.experiment;

import java.util.List;
import java.util.Optional;

/// A subject of the experiment: its folder's name, the class word it is tuned under, and whether the model knows that class.
public record Thing(String name, String className, Kind kind) {
    /// The usual case, and the hard one.
    public enum Kind {
        KNOWN_CLASS("known class"), NEW_CLASS("new class");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /// In tables and plots.
        public String words() {
            return words;
        }
    }

    /// The sample subjects. A class that the embedded model has never seen has a general word that it knows.
    private static final List<Thing> ALL = List.of(known("boat", "sailboat"), known("clock", "clock"), known("ghost", "ghost"),
            known("owl", "owl"), known("cat", "cat"), known("car", "car"), unseen("teapot", "object"), unseen("violin", "object"), unseen("backpack", "object"), unseen("cactus", "plant"));

    /// One of the sample subjects by its name, or a subject of one's own as `NAME:CLASS`, whose class the model is taken to know.
    public static Optional<Thing> named(String name) {
        int colon = name.indexOf(':');
        if (colon > 0 && colon < name.length() - 1) return Optional.of(known(name.substring(0, colon), name.substring(colon + 1)));
        return ALL.stream().filter(thing -> thing.name.equals(name)).findFirst();
    }

    public static List<String> names() {
        return ALL.stream().map(Thing::name).toList();
    }

    private static Thing known(String name, String className) {
        return new Thing(name, className, Kind.KNOWN_CLASS);
    }

    private static Thing unseen(String name, String className) {
        return new Thing(name, className, Kind.NEW_CLASS);
    }
}
