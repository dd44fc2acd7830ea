package atomstudio.app.tune;

import java.util.Optional;

/// The methods a person chooses from. The first three are offered at once, the rest is folded away.
public enum Method {
    ATOMS("atoms", "Filter atoms"),
    ATOMS_AND_CHANNELS("atoms+channels", "Atoms + channels"),
    LORA("lora", "LoRA"),
    CHANNELS("channels", "Channel atoms");

    private final String argument;
    private final String title;

    Method(String argument, String title) {
        this.argument = argument;
        this.title = title;
    }

    /// As the command line and run folders name it.
    public String argument() {
        return argument;
    }

    public String title() {
        return title;
    }

    public static Optional<Method> of(String argument) {
        for (Method method : values()) if (method.argument.equals(argument)) return Optional.of(method);
        return Optional.empty();
    }
}
