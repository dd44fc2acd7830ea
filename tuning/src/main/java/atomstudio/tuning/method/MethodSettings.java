package atomstudio.tuning.method;

import atomstudio.diffusion.Failure;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a user chooses: a method, and its number of atoms or its rank. Numbers that do not belong to the method stand at their defaults.
public record MethodSettings(Choice choice, int atoms, int rank) {
    /// The paper's setting: as many atoms as a 3×3 kernel has numbers.
    public static final int ATOMS = 9;
    public static final int RANK = 4;
    private static final int BLOCK = 4;

    /// The methods on offer, by their names on the command line and in the window, with the training that suits them
    /// (found by experiment on the default model, docs/experiments.md).
    public enum Choice {
        ATOMS("atoms", "Filter atoms", 200, 1e-2),
        CHANNELS("channels", "Channel atoms", 100, 1e-2),
        ATOMS_AND_CHANNELS("atoms+channels", "Atoms + channels", 100, 1e-2),
        LORA("lora", "LoRA", 120, 4e-3);

        private final String command;
        private final String display;
        private final int steps;
        private final double rate;

        Choice(String command, String display, int steps, double rate) {
            this.command = command;
            this.display = display;
            this.steps = steps;
            this.rate = rate;
        }

        /// On the command line, in run folders and adapter files.
        public String command() {
            return command;
        }

        /// In the window and on sheets.
        public String display() {
            return display;
        }

        /// Training steps unless asked otherwise.
        public int steps() {
            return steps;
        }

        /// Learning rate unless asked otherwise.
        public double rate() {
            return rate;
        }

        boolean hasAtoms() {
            return this == ATOMS || this == ATOMS_AND_CHANNELS;
        }
    }

    public MethodSettings {
        if (!choice.hasAtoms()) atoms = ATOMS;
        if (choice != Choice.LORA) rank = RANK;
    }

    public static MethodSettings of(Choice choice) {
        return new MethodSettings(choice, ATOMS, RANK);
    }

    /// @throws Failure.Incompatible for an unknown name, listing the known ones, and for numbers that the method cannot have
    public static MethodSettings parse(String name, int atoms, int rank) throws Failure.Incompatible {
        Choice choice = Stream.of(Choice.values()).filter(c -> c.command.equals(name)).findFirst().orElse(null);
        if (choice == null) throw new Failure.Incompatible("method " + name + ": expected one of " + names());
        MethodSettings settings = new MethodSettings(choice, atoms, rank);
        try {
            settings.method();
            return settings;
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("method " + name + ": " + e.getMessage());
        }
    }

    /// The names that `parse` knows, for messages and help.
    public static String names() {
        return Stream.of(Choice.values()).map(Choice::command).collect(Collectors.joining(", "));
    }

    public TuningMethod method() {
        return switch (choice) {
            case ATOMS -> new FilterAtoms(atoms);
            case CHANNELS -> channels();
            case ATOMS_AND_CHANNELS -> new Sum(List.of(new FilterAtoms(atoms), channels()));
            case LORA -> new Lora(rank);
        };
    }

    public String name() {
        return choice.command;
    }

    public String displayName() {
        return choice.display;
    }

    private static ChannelAtoms channels() {
        return new ChannelAtoms(BLOCK, BLOCK * BLOCK);
    }
}
