package atomstudio.tuning.method;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.setting.CloseNames;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Selects layers by kind or name: those that match any item. The item `up` restricts them to the up blocks. An item
/// that is no keyword or component (`unet`, `text_encoder`) is a glob pattern over layer names (`*`, `?`). It selects
/// layers of the first text encoder if it starts with `text_model`, of another component if it starts with its folder
/// (`text_encoder_2.`), else of the UNet. A classifier's layers are selected like the UNet's.
public record LayerSelector(List<String> items) {
    public static final LayerSelector ALL = new LayerSelector(List.of("*"));
    static final LayerSelector TEXT_ATTENTION = new LayerSelector(
            Stream.of("q", "k", "v", "out").map(name -> "text_model.*." + name + "_proj").toList());
    private static final String UP_BLOCKS = "up";
    static final List<String> KEYWORDS = List.of("conv3x3", "conv", "attention", "linear", UP_BLOCKS);
    private static final Pattern ATTENTION = Pattern.compile(
            "(.*\\.)?(to_(q|k|v|out\\.0)|attention\\.(attention\\.(query|key|value)|output\\.dense))");
    private static final Pattern INDEX = Pattern.compile("(?<=\\.)\\d+(?=\\.|$)");

    public LayerSelector {
        items = List.copyOf(items);
        if (items.isEmpty() || items.contains(""))
            throw new IllegalArgumentException(
                    "layers: expected a list such as conv3x3,attention or up_blocks.*, found "
                            + (items.isEmpty() ? "nothing" : items));
    }

    /// Parses a comma-separated list.
    /// @throws IllegalArgumentException for an empty item
    public static LayerSelector parse(String list) {
        return new LayerSelector(Stream.of(list.split(",", -1)).map(String::strip).toList());
    }

    /// Selects exactly these layers: by keywords where they cover nothing else, otherwise by name.
    /// @param network all layers of the model
    public static LayerSelector of(List<Layer> selected, List<Layer> network) {
        List<String> keywords = KEYWORDS.stream()
                .filter(keyword -> !keyword.equals(UP_BLOCKS) && network.stream().anyMatch(predicate(keyword))
                        && network.stream().filter(predicate(keyword)).allMatch(selected::contains))
                .toList();
        Stream<String> names = selected.stream()
                .filter(layer -> keywords.stream().noneMatch(keyword -> predicate(keyword).test(layer)))
                .map(Layer::name);
        return new LayerSelector(Stream.concat(keywords.stream(), names).toList());
    }

    public boolean matches(Layer layer) {
        boolean selected = items.stream().anyMatch(item -> !item.equals(UP_BLOCKS) && predicate(item).test(layer));
        boolean narrowed = items.contains(UP_BLOCKS);
        return (selected || items.size() == 1 && narrowed) && (!narrowed || predicate(UP_BLOCKS).test(layer));
    }

    /// This selector; for `up` alone, the default layers in the up blocks.
    LayerSelector orDefault(LayerSelector defaults) {
        return items.equals(List.of(UP_BLOCKS))
                ? new LayerSelector(Stream.concat(defaults.items.stream(), Stream.of(UP_BLOCKS)).distinct().toList())
                : this;
    }

    /// Items that match none of these layers.
    List<String> unmatchedItems(List<Layer> layers) {
        return items.stream().filter(item -> layers.stream().noneMatch(predicate(item))).toList();
    }

    /// Checks that every item matches one of the layers that are trained.
    /// @param setting for the message
    /// @throws Failure.Incompatible that names close layer names
    public void requireMatches(String setting, String model, List<Layer> trained) throws Failure.Incompatible {
        List<String> unmatched = unmatchedItems(trained);
        if (unmatched.isEmpty()) return;
        Stream<String> components = trained.stream().map(layer -> layer.component().folder()).distinct();
        Stream<String> keywords = Stream.concat(KEYWORDS.stream(), components)
                .filter(keyword -> trained.stream().anyMatch(predicate(keyword)));
        List<String> names = Stream.concat(keywords, trained.stream().map(Layer::name)).toList();
        throw new Failure.Incompatible(setting + " " + unmatched.getFirst() + ": matches no layer of " + model
                + " that is trained; close names: " + String.join(", ", CloseNames.of(unmatched.getFirst(), names, 4)));
    }

    /// All items that match some of these layers, for messages: keywords, and layer names with `*` for numbers.
    static String matchingNames(List<Layer> layers) {
        Stream<String> keywords = KEYWORDS.stream()
                .filter(keyword -> layers.stream().anyMatch(predicate(keyword)));
        Stream<String> patterns = layers.stream().map(layer -> INDEX.matcher(layer.name()).replaceAll("*")).distinct();
        return Stream.concat(keywords, patterns).collect(Collectors.joining(", "));
    }

    private static Predicate<Layer> predicate(String item) {
        Predicate<Layer> isMainLayer = layer -> layer.component().equals(Component.UNET)
                || layer.component().equals(Component.CLASSIFIER);
        return switch (item) {
            case "conv3x3" -> isMainLayer.and(layer -> layer.kind() == Layer.Kind.CONV && layer.kernelSize() == 3);
            case "conv" -> isMainLayer.and(layer -> layer.kind() == Layer.Kind.CONV);
            case "linear" -> isMainLayer.and(layer -> layer.kind() == Layer.Kind.LINEAR);
            case "attention" -> isMainLayer
                    .and(layer -> layer.kind() == Layer.Kind.LINEAR && ATTENTION.matcher(layer.name()).matches());
            case UP_BLOCKS -> isMainLayer.and(layer -> layer.name().startsWith("up_blocks."));
            default -> layer -> layer.component().folder().equals(item)
                    || (layer.component().equals(Component.ofLayerName(item))
                            || layer.component().equals(Component.CLASSIFIER)) && matches(item, layer.name());
        };
    }

    /// Glob match. Only the last star is retried, so that no pattern takes exponential time.
    private static boolean matches(String glob, String name) {
        int patternIndex = 0, nameIndex = 0, star = -1, retryIndex = 0;
        while (nameIndex < name.length()) {
            char expected = patternIndex < glob.length() ? glob.charAt(patternIndex) : '\0';
            if (expected == '*') {
                star = patternIndex++;
                retryIndex = nameIndex;
                continue;
            }
            if (expected == '?' || expected == name.charAt(nameIndex)) {
                patternIndex++;
                nameIndex++;
                continue;
            }
            if (star < 0) return false;
            patternIndex = star + 1;
            nameIndex = ++retryIndex;
        }
        while (patternIndex < glob.length() && glob.charAt(patternIndex) == '*') patternIndex++;
        return patternIndex == glob.length();
    }

    /// The list as on the command line.
    @Override
    public String toString() {
        return String.join(",", items);
    }
}
