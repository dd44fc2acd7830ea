package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.LayerSelector;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.DoublePredicate;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Parameter groups of the optimizer: other learning rates and weight decays for some layers. A layer has a value from
/// the first group that matches it and has the value; else the setting of the run. As text:
/// `up_blocks.*:learning-rate=1e-4,weight-decay=0`, groups separated by semicolons.
public record ParameterGroups(List<Group> groups) {
    public static final ParameterGroups NONE = new ParameterGroups(List.of());
    /// The form of a group, for messages and help.
    static final String FORM = "LAYERS:learning-rate=X,weight-decay=X,rank=N";
    private static final String OPTION = "group";
    private static final String LAYERS = "layers";
    private static final String LEARNING_RATE = "learning-rate";
    private static final String WEIGHT_DECAY = "weight-decay";
    private static final String RANK = "rank";

    /// @param rank of a low-rank method; moved to the method's setting `rank-pattern` before training
    public record Group(LayerSelector layers, OptionalDouble learningRate, OptionalDouble weightDecay,
            OptionalInt rank) {
        @Override
        public String toString() {
            Stream<String> rates = Stream.of(text(LEARNING_RATE, learningRate), text(WEIGHT_DECAY, weightDecay))
                    .filter(each -> !each.isEmpty());
            Stream<String> ranks = rank.stream().mapToObj(each -> RANK + "=" + each);
            return layers + ":" + Stream.concat(rates, ranks).collect(Collectors.joining(","));
        }

        private static String text(String name, OptionalDouble value) {
            return value.isEmpty() ? ""
                    : name + "=" + new BigDecimal(Double.toString(value.getAsDouble())).stripTrailingZeros()
                            .toPlainString();
        }

        Group withoutRank() {
            return new Group(layers, learningRate, weightDecay, OptionalInt.empty());
        }
    }

    public ParameterGroups {
        groups = List.copyOf(groups);
    }

    /// @throws IllegalArgumentException that starts with the setting's name
    public static ParameterGroups parse(String text) {
        return new ParameterGroups(Stream.of(text.split(";"))
                .filter(item -> !item.isBlank())
                .map(item -> parseGroup(item.strip()))
                .toList());
    }

    private static Group parseGroup(String item) {
        int colon = item.indexOf(':');
        if (colon < 1) throw invalid(FORM, item);
        Map<String, Double> values = new LinkedHashMap<>();
        for (String entry : item.substring(colon + 1).split(",")) {
            String[] pair = entry.split("=", 2);
            if (pair.length < 2) throw invalid(FORM, item);
            if (values.put(pair[0].strip(), number(pair[0].strip(), pair[1].strip())) != null)
                throw invalid("each value once", item);
        }
        return new Group(LayerSelector.parse(item.substring(0, colon)), optional(values.get(LEARNING_RATE)),
                optional(values.get(WEIGHT_DECAY)),
                values.containsKey(RANK) ? OptionalInt.of(values.get(RANK).intValue()) : OptionalInt.empty());
    }

    private static OptionalDouble optional(@Nullable Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    private static double number(String name, String text) {
        return switch (name) {
            case LEARNING_RATE -> number(name, text, "0 or more and below 10", rate -> rate >= 0 && rate < 10);
            case WEIGHT_DECAY -> number(name, text, "0 to 1", decay -> decay >= 0 && decay <= 1);
            case RANK -> number(name, text, "a whole number above 0", rank -> rank >= 1 && rank == (int) rank);
            default -> throw invalid("learning-rate, weight-decay or rank", name);
        };
    }

    private static double number(String name, String text, String range, DoublePredicate isValid) {
        try {
            double number = Double.parseDouble(text);
            if (isValid.test(number)) return number;
        } catch (NumberFormatException e) {
            throw invalid(name + " " + range, text);
        }
        throw invalid(name + " " + range, text);
    }

    private static IllegalArgumentException invalid(String expected, String found) {
        return new IllegalArgumentException(OPTION + ": expected " + expected + ", found " + found);
    }

    /// From a text, or from a list of tables with `layers` and the values by name.
    static ParameterGroups read(JsonElement element) {
        if (element.isJsonPrimitive()) return parse(element.getAsString());
        List<Group> groups = new ArrayList<>();
        for (JsonElement each : element.getAsJsonArray()) {
            JsonObject table = each.getAsJsonObject();
            groups.add(parseGroup(table.get(LAYERS).getAsString() + ":" + table.entrySet()
                    .stream()
                    .filter(entry -> !entry.getKey().equals(LAYERS))
                    .map(entry -> entry.getKey() + "=" + entry.getValue().getAsString())
                    .collect(Collectors.joining(","))));
        }
        return new ParameterGroups(groups);
    }

    boolean hasNoRanks() {
        return groups.stream().allMatch(group -> group.rank.isEmpty());
    }

    /// The ranks, as the method's setting `rank-pattern`.
    String rankPattern() {
        return groups.stream()
                .filter(group -> group.rank.isPresent())
                .map(group -> group.layers + "=" + group.rank.getAsInt())
                .collect(Collectors.joining(";"));
    }

    ParameterGroups withoutRanks() {
        return new ParameterGroups(groups.stream()
                .map(Group::withoutRank)
                .filter(group -> group.learningRate.isPresent() || group.weightDecay.isPresent())
                .toList());
    }

    public OptionalDouble learningRate(Layer layer) {
        return first(layer, Group::learningRate);
    }

    public OptionalDouble weightDecay(Layer layer) {
        return first(layer, Group::weightDecay);
    }

    private OptionalDouble first(Layer layer, Function<Group, OptionalDouble> value) {
        return groups.stream()
                .filter(group -> value.apply(group).isPresent() && group.layers.matches(layer))
                .findFirst()
                .map(value)
                .orElse(OptionalDouble.empty());
    }

    /// Checks that every group has layers.
    /// @param trained the layers that are trained
    /// @throws Failure.Incompatible that names a pattern without layers, and close layer names
    public void requireMatches(String model, List<Layer> trained) throws Failure.Incompatible {
        for (Group group : groups) group.layers.requireMatches(OPTION, model, trained);
    }

    @Override
    public String toString() {
        return groups.stream().map(Group::toString).collect(Collectors.joining(";"));
    }
}
