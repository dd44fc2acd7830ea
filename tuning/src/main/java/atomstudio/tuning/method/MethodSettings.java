package atomstudio.tuning.method;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a user chooses: a method, and settings that belong to it (or to what is trained beside it). Only what differs from the defaults
/// is kept, so that equal choices are equal.
public record MethodSettings(Choice choice, Map<Setting, String> chosen) {
    /// As many atoms as a 3×3 kernel has numbers: the paper's setting.
    public static final int ATOMS = 9;
    public static final int RANK = 4;

    /// The methods, by their names on the command line and in the window, with the training that suits the default model, as found by experiment
    /// (docs/experiments.md). On Stable Diffusion itself smaller rates and more steps are usual: LoRA 1e-4, textual inversion 5e-4.
    public enum Choice {
        ATOMS("atoms", "Filter atoms", 200, 3e-3, "conv3x3", Setting.ATOMS, Setting.CODING, Setting.LAYERS),
        ATOMS_AND_WORD("atoms+word", "Atoms + word", 100, 1e-2, "conv3x3", Setting.ATOMS, Setting.CODING, Setting.LAYERS),
        OVERCOMPLETE("overcomplete", "Overcomplete atoms", 100, 1e-2, "conv3x3", Setting.ATOMS, Setting.M1, Setting.LAYERS),
        CHANNELS("channels", "Channel atoms", 60, 2e-3, "*", Setting.CHANNEL_BLOCK, Setting.CHANNEL_ATOMS, Setting.LAYERS),
        ATOMS_AND_CHANNELS("atoms+channels", "Atoms + channels", 75, 5e-3, "*", Setting.ATOMS, Setting.CODING, Setting.CHANNEL_BLOCK, Setting.CHANNEL_ATOMS, Setting.LAYERS),
        OVERCOMPLETE_AND_CHANNELS("overcomplete+channels", "Overcomplete + channels", 60, 1e-3, "*", Setting.ATOMS, Setting.M1, Setting.CHANNEL_BLOCK, Setting.CHANNEL_ATOMS, Setting.LAYERS),
        LORA("lora", "LoRA", 60, 4e-3, "attention", Setting.RANK, Setting.ALPHA, Setting.LAYERS),
        LOCON("locon", "LoCon", 100, 2e-3, "attention,conv", Setting.RANK, Setting.ALPHA, Setting.LAYERS),
        LOHA("loha", "LoHa", 60, 2e-3, "attention", Setting.RANK, Setting.ALPHA, Setting.LAYERS),
        LOKR("lokr", "LoKr", 60, 1e-2, "attention", Setting.RANK, Setting.ALPHA, Setting.LAYERS),
        OFT("oft", "OFT", 60, 1e-3, "attention", Setting.SIDE, Setting.BLOCK, Setting.LAYERS),
        DORA("dora", "DoRA", 60, 2e-3, "attention", Setting.RANK, Setting.ALPHA, Setting.LAYERS),
        BITFIT("bitfit", "BitFit", 100, 3e-3, "*", Setting.LAYERS),
        NORM("norm", "Norms only", 60, 1e-2, "*", Setting.LAYERS),
        SSF("ssf", "SSF", 60, 2e-3, "*", Setting.LAYERS),
        DIFFFIT("difffit", "DiffFit", 60, 1e-2, "*", Setting.LAYERS),
        GLORA("glora", "GLoRA", 60, 2e-3, "attention", Setting.RANK, Setting.ALPHA, Setting.LAYERS),
        TEXTUAL_INVERSION("textual-inversion", "Textual inversion", 100, 5e-3, "text_model.embeddings.token_embedding"),
        FULL("full", "Full fine-tuning", 60, 3e-5, "*", Setting.LAYERS);

        private final String command;
        private final String display;
        private final int steps;
        private final double rate;
        private final String layers;
        private final List<Setting> settings;

        Choice(String command, String display, int steps, double rate, String layers, Setting... settings) {
            this.command = command;
            this.display = display;
            this.steps = steps;
            this.rate = rate;
            this.layers = layers;
            this.settings = List.of(settings);
        }

        /// @throws IllegalArgumentException for an unknown name, listing the known ones
        public static Choice named(String command) {
            return Stream.of(values()).filter(choice -> choice.command.equals(command)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("method " + command + ": expected one of " + names()));
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

        /// The settings of the method itself, beside those that go with every method.
        public List<Setting> settings() {
            return settings;
        }

        /// The list of layers unless asked otherwise.
        String list() {
            return layers;
        }

        LayerChoice layers() {
            return LayerChoice.parse(layers);
        }
    }

    public MethodSettings {
        Map<Setting, String> kept = new EnumMap<>(Setting.class);
        chosen.forEach((setting, value) -> kept.put(setting, setting.canonical(value)));
        kept.keySet().retainAll(belonging(choice, kept));
        for (Setting setting : List.copyOf(kept.keySet())) if (kept.get(setting).equals(setting.usual(choice, kept))) kept.remove(setting);
        kept.keySet().retainAll(belonging(choice, kept));
        chosen = Collections.unmodifiableMap(kept);
    }

    public static MethodSettings of(Choice choice) {
        return new MethodSettings(choice, Map.of());
    }

    /// As a user chose it.
    /// @throws IllegalArgumentException for a setting that does not belong to the method, saying which methods it belongs to, and for
    ///     values that it cannot have
    public static MethodSettings chosen(Choice choice, Map<Setting, String> chosen) {
        List<Setting> belonging = belonging(choice, chosen);
        for (Setting setting : chosen.keySet()) {
            if (!belonging.contains(setting)) throw new IllegalArgumentException(setting.command() + ": belongs to " + owners(setting) + ", not to " + choice.command);
        }
        MethodSettings settings = new MethodSettings(choice, chosen);
        settings.method();
        return settings;
    }

    /// From a file; settings that do not belong to the method mean nothing.
    /// @throws Failure.Incompatible for an unknown method or setting, and for values that it cannot have
    public static MethodSettings parse(String name, Map<String, String> entries) throws Failure.Incompatible {
        try {
            Map<Setting, String> chosen = new EnumMap<>(Setting.class);
            entries.forEach((key, value) -> chosen.put(Setting.named(key).orElseThrow(() -> new IllegalArgumentException("setting " + key + " is not known; a newer version wrote it")), value));
            Choice choice = Choice.named(name);
            // Files wrote a block before there was a side: these turn what comes out.
            boolean rotates = choice == Choice.OFT || also(chosen).equals(Optional.of(Choice.OFT));
            if (rotates && chosen.containsKey(Setting.BLOCK)) chosen.putIfAbsent(Setting.SIDE, Oft.Side.OUTPUT.command());
            MethodSettings settings = new MethodSettings(choice, chosen);
            settings.method();
            return settings;
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible(e.getMessage().startsWith("method ") ? e.getMessage() : "method " + name + ": " + e.getMessage());
        }
    }

    /// With one more thing chosen.
    public MethodSettings with(Setting setting, String value) {
        Map<Setting, String> more = new EnumMap<>(Setting.class);
        more.putAll(chosen);
        more.put(setting, value);
        return new MethodSettings(choice, more);
    }

    /// Every setting that belongs to the method with its value, by name: what files store.
    public Map<String, String> entries() {
        Map<String, String> entries = new LinkedHashMap<>();
        for (Setting setting : settings()) if (!value(setting).isEmpty()) entries.put(setting.command(), value(setting));
        return Collections.unmodifiableMap(entries);
    }

    /// The settings that belong to this choice.
    public List<Setting> settings() {
        return belonging(choice, chosen);
    }

    /// What is chosen, or else the default.
    public String value(Setting setting) {
        String value = chosen.get(setting);
        return value == null ? setting.usual(choice, chosen) : value;
    }

    /// The names that `parse` knows, for messages and help.
    public static String names() {
        return Stream.of(Choice.values()).map(Choice::command).collect(Collectors.joining(", "));
    }

    public TuningMethod method() {
        List<TuningMethod> parts = new ArrayList<>(parts(choice, layers()));
        also().ifPresent(other -> parts.addAll(parts(other, other.layers())));
        if (textEncoder()) parts.add(new On(new Lora(rank(), alpha()), LayerChoice.TEXT_ATTENTION));
        return parts.size() == 1 ? parts.getFirst() : new Sum(parts);
    }

    private List<TuningMethod> parts(Choice of, LayerChoice on) {
        return switch (of) {
            case ATOMS -> List.of(new On(filterAtoms(), on));
            case ATOMS_AND_WORD -> List.of(new On(filterAtoms(), on), new TextualInversion(1));
            case OVERCOMPLETE -> List.of(new On(overcomplete(), on));
            case CHANNELS -> List.of(new On(channels(), on));
            case ATOMS_AND_CHANNELS -> List.of(beside(filterAtoms(), on), new On(channels(), on));
            case OVERCOMPLETE_AND_CHANNELS -> List.of(beside(overcomplete(), on), new On(channels(), on));
            case LORA, LOCON -> List.of(new On(new Lora(rank(), alpha()), on));
            case LOHA -> List.of(new On(new Loha(rank(), alpha()), on));
            case LOKR -> List.of(new On(new Lokr(rank(), alpha()), on));
            case OFT -> List.of(new On(new Oft(Oft.Side.of(value(Setting.SIDE)), Oft.Blocks.parse(value(Setting.BLOCK))), on));
            case DORA -> List.of(new On(new Dora(rank(), alpha()), on));
            case BITFIT -> List.of(new On(new BitFit(), on));
            case NORM -> List.of(new On(new NormOnly(), on));
            case SSF -> List.of(new On(new Ssf(), on));
            case DIFFFIT -> List.of(new On(new DiffFit(), on));
            case GLORA -> List.of(new On(new Glora(rank(), alpha()), on));
            case TEXTUAL_INVERSION -> List.of(new TextualInversion(1));
            case FULL -> List.of(new On(new Full(), on));
        };
    }

    /// Filter atoms that leave the 1×1 convolutions to the channel atoms.
    private static TuningMethod beside(TuningMethod filters, LayerChoice on) {
        return new On(new On(filters, Choice.ATOMS.layers()), on);
    }

    /// Checks the layers that were chosen against a model's.
    /// @throws Failure.Incompatible when an item names nothing that the method can tune, when two methods meet on a layer, or when
    ///     nothing is left to tune
    public void check(String model, List<Layer> layers) throws Failure.Incompatible {
        List<TuningMethod> could = parts(choice, LayerChoice.EVERYWHERE);
        List<Layer> tunable = layers.stream().filter(layer -> could.stream().anyMatch(part -> part.tunes(layer))).toList();
        List<String> idle = chosen.containsKey(Setting.LAYERS) ? layers().without(tunable) : List.of();
        if (!idle.isEmpty()) {
            throw new Failure.Incompatible("layers " + String.join(",", idle) + ": matches nothing in " + model + " that " + name() + " can tune; it could match " + LayerChoice.names(tunable));
        }
        try {
            if (method().numbers(layers) > 0) return;
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("method " + name() + ": " + e.getMessage());
        }
        throw new Failure.Incompatible(model + ": has no layers that method " + name() + " could tune" + (chosen.containsKey(Setting.LAYERS) ? " among " + layers() + "; it could match " + LayerChoice.names(tunable) : "; choose another of " + names()));
    }

    public String name() {
        return choice.command;
    }

    /// All that is trained together, by its names on the command line: `atoms`, `atoms+textual-inversion`, `lora+text-encoder`.
    public String combinedName() {
        return choice.command + also().map(other -> "+" + other.command).orElse("") + (textEncoder() ? "+" + Setting.TEXT_ENCODER.command() : "");
    }

    /// The title of a combined name: `atoms+textual-inversion` is "Filter atoms + word". A name that this version does not know is its own
    /// title.
    public static String title(String combinedName) {
        Optional<Choice> whole = Stream.of(Choice.values()).filter(choice -> choice.command.equals(combinedName)).findFirst();
        int plus = combinedName.lastIndexOf('+');
        if (whole.isPresent() || plus < 0) return whole.map(Choice::display).orElse(combinedName);
        String last = combinedName.substring(plus + 1);
        String beside = last.equals(Choice.TEXTUAL_INVERSION.command) ? "word" : last.equals(Setting.TEXT_ENCODER.command()) ? "text encoder" : title(last);
        return title(combinedName.substring(0, plus)) + " + " + beside;
    }

    public String displayName() {
        return choice.display;
    }

    public int atoms() {
        return whole(Setting.ATOMS);
    }

    public int rank() {
        return whole(Setting.RANK);
    }

    private double alpha() {
        return Double.parseDouble(value(Setting.ALPHA));
    }

    /// What of a choice trains a layer: each has a learning rate of its own.
    public enum Trained { METHOD, ALSO, WORD, TEXT_ENCODER }

    /// @param layer that the choice tunes
    public Trained trained(Layer layer) {
        if (layer.name().equals(TextualInversion.TABLE)) return choice == Choice.TEXTUAL_INVERSION ? Trained.METHOD : Trained.WORD;
        if (parts(choice, layers()).stream().anyMatch(part -> part.tunes(layer))) return Trained.METHOD;
        boolean byOther = also().stream().flatMap(other -> parts(other, other.layers()).stream()).anyMatch(part -> part.tunes(layer));
        return byOther ? Trained.ALSO : Trained.TEXT_ENCODER;
    }

    /// Whether a word is trained beside the method.
    public boolean word() {
        return choice == Choice.ATOMS_AND_WORD || also().equals(Optional.of(Choice.TEXTUAL_INVERSION));
    }

    /// The method that is trained beside this one.
    public Optional<Choice> also() {
        return also(chosen);
    }

    /// Whether the text encoder is tuned with LoRA as well.
    public boolean textEncoder() {
        return Setting.YES.equals(chosen.get(Setting.TEXT_ENCODER));
    }

    private LayerChoice layers() {
        return LayerChoice.parse(value(Setting.LAYERS)).orDefault(choice.layers());
    }

    private TuningMethod filterAtoms() {
        return switch (Setting.Coded.of(value(Setting.CODING))) {
            case LINEAR -> new FilterAtoms(atoms());
            case SPARSE -> new SparseAtoms(atoms());
        };
    }

    private OvercompleteAtoms overcomplete() {
        return new OvercompleteAtoms(atoms(), whole(Setting.M1));
    }

    private ChannelAtoms channels() {
        return new ChannelAtoms(whole(Setting.CHANNEL_BLOCK), whole(Setting.CHANNEL_ATOMS));
    }

    private int whole(Setting setting) {
        return Integer.parseInt(value(setting));
    }

    private static Optional<Choice> also(Map<Setting, String> chosen) {
        return Optional.ofNullable(chosen.get(Setting.ALSO)).filter(name -> !name.isEmpty()).map(Choice::named);
    }

    /// What belongs to a method, to the one beside it, and to every method.
    private static List<Setting> belonging(Choice choice, Map<Setting, String> chosen) {
        Stream<Setting> beside = also(chosen).stream().flatMap(other -> other.settings.stream()).filter(setting -> setting != Setting.LAYERS);
        Stream<Setting> text = Setting.YES.equals(chosen.get(Setting.TEXT_ENCODER)) ? Stream.of(Setting.RANK, Setting.ALPHA) : Stream.of();
        Stream<Setting> always = Stream.of(Setting.ALSO, Setting.TEXT_ENCODER);
        return Stream.of(choice.settings.stream(), beside, text, always).flatMap(each -> each).distinct().sorted().toList();
    }

    /// For messages: the methods that have a setting.
    private static String owners(Setting setting) {
        String owners = Stream.of(Choice.values()).filter(choice -> choice.settings.contains(setting)).map(Choice::command).collect(Collectors.joining(", "));
        return setting == Setting.RANK || setting == Setting.ALPHA ? owners + " and --text-encoder" : owners;
    }
}
