package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Layers by kind or name: those that any item names; the item `up` narrows them to the up blocks. An item that is no word of ours is a
/// pattern over the layers' names, `*` standing for anything and `?` for one character. Layers of the text encoder are only meant by
/// patterns that begin with `text_model`.
public record LayerChoice(List<String> items) {
    public static final LayerChoice EVERYWHERE = new LayerChoice(List.of("*"));
    static final LayerChoice TEXT_ATTENTION = new LayerChoice(Stream.of("q", "k", "v", "out").map(name -> "text_model.*." + name + "_proj").toList());
    private static final String UP = "up";
    static final List<String> WORDS = List.of("conv3x3", "conv", "attention", "linear", UP);
    private static final String TEXT = "text_model";
    private static final Pattern ATTENTION = Pattern.compile("(.*\\.)?to_(q|k|v|out\\.0)");
    private static final Pattern NUMBER = Pattern.compile("(?<=\\.)\\d+(?=\\.|$)");

    public LayerChoice {
        items = List.copyOf(items);
        if (items.isEmpty() || items.contains("")) throw new IllegalArgumentException("layers: expected a list such as conv3x3,attention or up_blocks.*, found " + (items.isEmpty() ? "nothing" : items));
    }

    /// A comma list.
    public static LayerChoice parse(String list) {
        return new LayerChoice(Stream.of(list.split(",", -1)).map(String::strip).toList());
    }

    public boolean matches(Layer layer) {
        boolean named = items.stream().anyMatch(item -> !item.equals(UP) && item(item).test(layer));
        boolean narrowed = items.contains(UP);
        return (named || items.size() == 1 && narrowed) && (!narrowed || item(UP).test(layer));
    }

    /// These layers; with `up` alone, the default's in the up blocks.
    LayerChoice orDefault(LayerChoice usual) {
        return items.equals(List.of(UP)) ? new LayerChoice(Stream.concat(usual.items.stream(), Stream.of(UP)).distinct().toList()) : this;
    }

    /// Items that name none of these layers.
    List<String> without(List<Layer> layers) {
        return items.stream().filter(item -> layers.stream().noneMatch(item(item))).toList();
    }

    /// Every name that a choice among these layers can be made by: our words, and patterns with `*` for numbers.
    static String names(List<Layer> layers) {
        Stream<String> words = WORDS.stream().filter(word -> layers.stream().anyMatch(item(word)));
        Stream<String> patterns = layers.stream().map(layer -> NUMBER.matcher(layer.name()).replaceAll("*")).distinct();
        return Stream.concat(words, patterns).collect(Collectors.joining(", "));
    }

    private static Predicate<Layer> item(String item) {
        Predicate<Layer> denoiser = layer -> !layer.name().startsWith(TEXT + ".");
        return switch (item) {
            case "conv3x3" -> denoiser.and(layer -> layer.kind() == Layer.Kind.CONV && layer.kernelSize() == 3);
            case "conv" -> denoiser.and(layer -> layer.kind() == Layer.Kind.CONV);
            case "linear" -> denoiser.and(layer -> layer.kind() == Layer.Kind.LINEAR);
            case "attention" -> denoiser.and(layer -> layer.kind() == Layer.Kind.LINEAR && ATTENTION.matcher(layer.name()).matches());
            case UP -> denoiser.and(layer -> layer.name().startsWith("up_blocks."));
            default -> item.startsWith(TEXT) ? named(item) : denoiser.and(named(item));
        };
    }

    private static Predicate<Layer> named(String glob) {
        return layer -> matches(glob, layer.name());
    }

    /// `*` stands for any letters, `?` for one. Only the last star is ever tried again, so that no pattern of a file takes long.
    private static boolean matches(String glob, String name) {
        int at = 0, star = -1, resumed = 0;
        int i = 0;
        while (i < name.length()) {
            if (at < glob.length() && glob.charAt(at) == '*') {
                star = at++;
                resumed = i;
            } else if (at < glob.length() && (glob.charAt(at) == '?' || glob.charAt(at) == name.charAt(i))) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++resumed;
            } else {
                return false;
            }
        }
        while (at < glob.length() && glob.charAt(at) == '*') at++;
        return at == glob.length();
    }

    /// As on the command line.
    @Override public String toString() {
        return String.join(",", items);
    }
}
