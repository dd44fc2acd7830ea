package atomstudio.tuning.method;

import java.util.List;
import java.util.stream.Stream;

/// Groups of tuning methods, in the order in which lists show them.
public enum MethodCategory {
    FILTERS("Filter atoms"),
    LOW_RANK("Low-rank updates"),
    ROTATIONS("Rotations and directions"),
    SCALES("Scales, shifts and biases"),
    BRANCHES("Networks beside layers"),
    EMBEDDINGS("New words"),
    FULL("All parameters");

    private final String displayName;

    MethodCategory(String displayName) {
        this.displayName = displayName;
    }

    public String displayName() {
        return displayName;
    }

    public List<MethodName> methods() {
        return Stream.of(MethodName.values()).filter(method -> method.category() == this).toList();
    }
}
