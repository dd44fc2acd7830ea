package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Layers by kind or name: those that any item names; the item `up` narrows them to the up blocks. An item that is no
/// word of ours is a pattern over the layers' names, `*` standing for anything and `?` for one character. Layers of
/// the text encoder are only meant by patterns that begin with `text_model`.
public record LayerSelector(List<String> items) {
    public static final LayerSelector ALL = new LayerSelector(List.of("*"));
    static final LayerSelector TEXT_ATTENTION = new LayerSelector(
            Stream.of("q", "k", "v", "out").map(name -> "text_model.*." + name + "_proj").toList());
    private static final String UP_BLOCKS = "up";
    static final List<String> KEYWORDS = List.of("conv3x3", "conv", "attention", "linear", UP_BLOCKS);
    private static final String TEXT_MODEL = "text_model";
    private static final Pattern ATTENTION = Pattern.compile("(.*\\.)?to_(q|k|v|out\\.0)");
    private static final Pattern NUMBER = Pattern.compile("(?<=\\.)\\d+(?=\\.|$)");

    public LayerSelector {
        items = List.copyOf(items);
        if (items.isEmpty() || items.contains(""))
            throw new IllegalArgumentException(
                    "layers: expected a list such as conv3x3,attention or up_blocks.*, found "
                            + (items.isEmpty() ? "nothing" : items));
    }

    /// A comma list.
    public static LayerSelector parse(String list) {
        return new LayerSelector(Stream.of(list.split(",", -1)).map(String::strip).toList());
    }

    public boolean matches(Layer layer) {
        boolean selected = items.stream().anyMatch(item -> !item.equals(UP_BLOCKS) && predicate(item).test(layer));
        boolean narrowed = items.contains(UP_BLOCKS);
        return (selected || items.size() == 1 && narrowed) && (!narrowed || predicate(UP_BLOCKS).test(layer));
    }

    /// These layers; with `up` alone, the default's in the up blocks.
    LayerSelector orDefault(LayerSelector defaults) {
        return items.equals(List.of(UP_BLOCKS))
                ? new LayerSelector(Stream.concat(defaults.items.stream(), Stream.of(UP_BLOCKS)).distinct().toList())
                : this;
    }

    /// Items that name none of these layers.
    List<String> unmatchedItems(List<Layer> layers) {
        return items.stream().filter(item -> layers.stream().noneMatch(predicate(item))).toList();
    }

    /// Every name that a choice among these layers can be made by: our words, and patterns with `*` for numbers.
    static String matchingNames(List<Layer> layers) {
        Stream<String> keywords = KEYWORDS.stream().filter(word -> layers.stream().anyMatch(predicate(word)));
        Stream<String> patterns = layers.stream().map(layer -> NUMBER.matcher(layer.name()).replaceAll("*")).distinct();
        return Stream.concat(keywords, patterns).collect(Collectors.joining(", "));
    }

    private static Predicate<Layer> predicate(String item) {
        Predicate<Layer> isDenoiserLayer = layer -> !layer.name().startsWith(TEXT_MODEL + ".");
        return switch (item) {
            case "conv3x3" -> isDenoiserLayer.and(layer -> layer.kind() == Layer.Kind.CONV && layer.kernelSize() == 3);
            case "conv" -> isDenoiserLayer.and(layer -> layer.kind() == Layer.Kind.CONV);
            case "linear" -> isDenoiserLayer.and(layer -> layer.kind() == Layer.Kind.LINEAR);
            case "attention" -> isDenoiserLayer
                    .and(layer -> layer.kind() == Layer.Kind.LINEAR && ATTENTION.matcher(layer.name()).matches());
            case UP_BLOCKS -> isDenoiserLayer.and(layer -> layer.name().startsWith("up_blocks."));
            default -> item.startsWith(TEXT_MODEL) ? byPattern(item) : isDenoiserLayer.and(byPattern(item));
        };
    }

    private static Predicate<Layer> byPattern(String glob) {
        return layer -> matches(glob, layer.name());
    }

    /// `*` stands for any letters, `?` for one. Only the last star is ever tried again, so that no pattern of a file
    /// takes long.
    private static boolean matches(String glob, String name) {
        int patternIndex = 0, star = -1, retryIndex = 0;
        int nameIndex = 0;
        while (nameIndex < name.length()) {
            if (patternIndex < glob.length() && glob.charAt(patternIndex) == '*') {
                star = patternIndex++;
                retryIndex = nameIndex;
            } else
                if (patternIndex < glob.length()
                        && (glob.charAt(patternIndex) == '?' || glob.charAt(patternIndex) == name.charAt(nameIndex))) {
                            patternIndex++;
                            nameIndex++;
                        } else
                    if (star >= 0) {
                        patternIndex = star + 1;
                        nameIndex = ++retryIndex;
                    } else {
                        return false;
                    }
        }
        while (patternIndex < glob.length() && glob.charAt(patternIndex) == '*') patternIndex++;
        return patternIndex == glob.length();
    }

    /// As on the command line.
    @Override
    public String toString() {
        return String.join(",", items);
    }
}
