package atomstudio.app.hub;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The weight files of a component folder, by variant and format. One set of them is downloaded: copies for other
/// programs (Flax, ONNX, OpenVINO, TensorFlow) and duplicates as pickles are left out.
/// Source: diffusers 0.42, `variant_compatible_siblings`.
record ComponentWeights(List<HubFile> files) {
    private static final List<String> EXTENSIONS = List.of("safetensors", "bin");
    /// In the order in which a model's reader searches them.
    private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model", "pytorch_model");
    private static final String STEM = "(" + String.join("|", STEMS) + ")";
    private static final String EXTENSION = "(safetensors|bin)";
    /// `model.fp16.safetensors`, `model.fp16-00001-of-00002.safetensors`, and the older
    /// `model-00001-of-00002.fp16.safetensors`.
    private static final Pattern WEIGHTS = Pattern
            .compile(STEM + "(?:\\.(\\w+))?(-\\d{5}-of-\\d{5})?(?:\\.(\\w+))?\\." + EXTENSION);
    private static final Pattern INDEX = Pattern
            .compile(STEM + "\\." + EXTENSION + "\\.(?:(\\w+)\\.)?index(?:\\.(\\w+))?\\.json");

    /// @param isShard whether the file is a part, or the list of parts
    private record Entry(HubFile file, String stem, String variant, boolean isShard, String extension) {}

    private Stream<Entry> entries() {
        return files.stream().map(ComponentWeights::entry).filter(Objects::nonNull);
    }

    private static @Nullable Entry entry(HubFile file) {
        Matcher weights = WEIGHTS.matcher(file.fileName());
        if (weights.matches())
            return new Entry(file, weights.group(1), first(weights.group(2), weights.group(4)),
                    weights.group(3) != null, weights.group(5));
        Matcher index = INDEX.matcher(file.fileName());
        return index.matches()
                ? new Entry(file, index.group(1), first(index.group(3), index.group(4)), true, index.group(2))
                : null;
    }

    private static String first(@Nullable String one,
            @Nullable String other) {
        return one != null ? one : other != null ? other : "";
    }

    boolean isWeights(HubFile file) {
        return entry(file) != null;
    }

    /// The variants in safetensors.
    Set<String> variants() {
        return entries().filter(entry -> entry.extension.equals("safetensors") && !entry.variant.isEmpty())
                .map(Entry::variant)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// The files of a variant, or without variant if the component does not have it, as in diffusers; safetensors
    /// before pickles, one file before parts. Empty if there are none.
    List<HubFile> select(String variant) {
        for (String extension : EXTENSIONS) {
            List<Entry> candidates = entries().filter(entry -> entry.extension.equals(extension)).toList();
            Set<String> present = candidates.stream()
                    .map(Entry::variant)
                    .collect(Collectors.toCollection(TreeSet::new));
            String chosen = present.contains(variant) ? variant : present.contains("") ? "" : null;
            if (chosen == null && present.size() == 1) chosen = present.iterator().next();
            if (chosen != null) return select(candidates, chosen);
        }
        return List.of();
    }

    private static List<HubFile> select(List<Entry> candidates, String variant) {
        List<Entry> ofVariant = candidates.stream().filter(entry -> entry.variant.equals(variant)).toList();
        Entry best = ofVariant.stream()
                .min(Comparator.comparing(Entry::isShard).thenComparing(entry -> STEMS.indexOf(entry.stem)))
                .orElseThrow();
        return ofVariant.stream()
                .filter(entry -> best.isShard ? entry.isShard && entry.stem.equals(best.stem) : entry == best)
                .map(Entry::file)
                .toList();
    }

    /// The kinds of files in a folder, for a message.
    static String describe(List<HubFile> files) {
        String kinds = files.stream()
                .map(HubFile::fileName)
                .filter(name -> name.contains(".") && !name.endsWith(".json"))
                .map(name -> name.substring(name.lastIndexOf('.')))
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
        return kinds.isEmpty() ? "none" : "only " + kinds;
    }
}
