package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The structure of each layer: the first entry that matches it. Layers that none matches are not trained.
public record GloraPattern(List<Entry> entries) {
    /// Stands for the supernet, which has all structures.
    static final String SUPERNET = "supernet";

    public record Entry(LayerSelector layers, GloraStructure structure) {}

    public GloraPattern {
        entries = List.copyOf(entries);
    }

    /// One structure for all layers.
    public static GloraPattern ofAll(GloraStructure structure) {
        return new GloraPattern(List.of(new Entry(LayerSelector.ALL, structure)));
    }

    /// The structures of layers by name.
    public static GloraPattern of(Map<String, GloraStructure> structures) {
        Map<GloraStructure, List<String>> byStructure = new LinkedHashMap<>();
        structures.forEach((layer, structure) -> {
            if (!structure.equals(GloraStructure.NONE))
                byStructure.computeIfAbsent(structure, _ -> new ArrayList<>()).add(layer);
        });
        return new GloraPattern(byStructure.entrySet()
                .stream()
                .map(entry -> new Entry(new LayerSelector(entry.getValue()), entry.getKey()))
                .toList());
    }

    /// The text in the form in which it is stored.
    static String canonical(String text) {
        return text.strip().equals(SUPERNET) ? SUPERNET : parse(text).toString();
    }

    /// From `attention=llnnn;conv3x3,mid_block.*=vvnsv`, or one structure for all layers.
    /// @throws IllegalArgumentException that starts with the setting's name
    static GloraPattern parse(String text) {
        if (!text.contains("=")) return ofAll(GloraStructure.parse(text));
        List<Entry> entries = new ArrayList<>();
        for (String item : text.split(";")) {
            int equals = item.lastIndexOf('=');
            if (equals < 1)
                throw new IllegalArgumentException(
                        "structure: expected layers and forms such as attention=lvnsv, found \"" + item + "\"");
            entries.add(new Entry(LayerSelector.parse(item.substring(0, equals)),
                    GloraStructure.parse(item.substring(equals + 1))));
        }
        return new GloraPattern(entries);
    }

    /// The structure of a layer, without terms that it cannot have.
    GloraStructure of(Layer layer) {
        return entries.stream()
                .filter(entry -> entry.layers.matches(layer))
                .findFirst()
                .map(Entry::structure)
                .orElse(GloraStructure.NONE)
                .on(layer);
    }

    @Override
    public String toString() {
        if (entries.size() == 1 && entries.getFirst().layers.equals(LayerSelector.ALL))
            return entries.getFirst().structure.toString();
        return entries.stream().map(entry -> entry.layers + "=" + entry.structure).collect(Collectors.joining(";"));
    }
}
