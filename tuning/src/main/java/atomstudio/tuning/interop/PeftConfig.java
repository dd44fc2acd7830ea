package atomstudio.tuning.interop;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// What the tensors of a peft adapter do not show: α and rank, with overrides for layers whose names match patterns,
/// and settings of OFT and IA³.
/// Source: peft 0.21, LoraConfig and `get_pattern_key`: a pattern matches the end of a layer's name.
/// @param rank        for layers whose tensors do not show it
/// @param rotation    of OFT
/// @param feedforward of IA³
public record PeftConfig(double alpha, OptionalDouble rank, Scaling scaling, Map<String, Double> alphaPattern,
        Map<String, Double> rankPattern, RotationSettings rotation, FeedforwardLayers feedforward) {
    /// α/r, or α/√r (rsLoRA).
    public enum Scaling { STANDARD, RANK_STABILIZED }

    /// @param terms of the Cayley-Neumann series; 0 for the exact transform
    /// @param limit of constrained OFT: the norm of all blocks, shared equally
    record RotationSettings(int terms, OptionalDouble limit) {
        private static RotationSettings parse(Json config) throws Failure {
            boolean isSeries = config.find("use_cayley_neumann", "true or false", Json::bool).orElse(true);
            double terms = config.find("num_cayley_neumann_terms", "a number of terms", Json::number)
                    .orElse((double) Rotation.DEFAULT_TERMS);
            boolean isLimited = config.find("coft", "true or false", Json::bool).orElse(false);
            Optional<Double> eps = config.find("eps", "a number", Json::number);
            return new RotationSettings(isSeries ? (int) Math.clamp(terms, 1, MAX_TERMS) : 0,
                    isLimited ? OptionalDouble.of(eps.orElse(DEFAULT_EPS)) : OptionalDouble.empty());
        }
    }

    /// Layers whose inputs are scaled by IA³ instead of their outputs: ends of names, or a pattern over whole names.
    record FeedforwardLayers(Optional<String> pattern, List<String> suffixes) {
        private static FeedforwardLayers parse(Json config) throws Failure {
            if (!config.has("feedforward_modules")) return new FeedforwardLayers(Optional.empty(), List.of());
            return config.find("feedforward_modules", "names of layers", element -> element.isJsonArray()
                    ? new FeedforwardLayers(Optional.empty(),
                            element.getAsJsonArray().asList().stream().map(JsonElement::getAsString).toList())
                    : new FeedforwardLayers(Optional.of(element.getAsString()), List.of())).orElseThrow();
        }

        boolean contains(String layer) {
            return suffixes.stream().anyMatch(layer::endsWith)
                    || pattern.isPresent() && matches(pattern.get(), layer);
        }
    }

    private static final int MAX_TERMS = 1000;
    /// peft's defaults.
    private static final double DEFAULT_EPS = 6e-5;
    private static final double DEFAULT_ALPHA = 8;
    /// Initializations that change the base model as well, so that the adapter alone is incomplete.
    private static final Set<String> BASE_CHANGING_INITS = Set.of("pissa", "olora", "corda", "loftq", "lora_ga");
    /// Limit of character accesses per match, since short patterns can take exponential time.
    private static final int MAX_MATCH_STEPS = 100_000;

    public PeftConfig {
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern)); // the first match applies
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    }

    /// @param prefix of the keys of one component's configuration; empty for a configuration of a single component
    /// @return empty if the configuration has no keys of the component
    /// @throws Failure that names the key with an invalid or unsupported value
    public static Optional<PeftConfig> parse(Json config, String prefix) throws Failure {
        Json section = prefix.isEmpty() ? config : new Json(config.source(), withPrefix(config.object(), prefix));
        if (section.object().isEmpty()) return Optional.empty();
        String init = section.find("init_lora_weights", "a string or true or false", JsonElement::getAsString)
                .orElse("");
        if (BASE_CHANGING_INITS.stream().anyMatch(init::startsWith)) {
            throw new Failure.Incompatible(config.source() + ": " + prefix + "init_lora_weights = " + init
                    + ": this initialization changes the base model too; save the adapter as a plain LoRA with the "
                    + "program that created it");
        }
        Optional<Double> alpha = section.find("lora_alpha", "a number", Json::number);
        if (alpha.isEmpty()) alpha = section.find("alpha", "a number", Json::number);
        // of OFT it is a number of blocks, or 0
        Optional<Double> rank = section.has("oft_block_size") ? Optional.empty()
                : section.find("r", "a rank", PeftConfig::rank);
        boolean stabilized = section.find("use_rslora", "true or false", Json::bool).orElse(false);
        return Optional.of(
                new PeftConfig(alpha.orElse(DEFAULT_ALPHA), rank.map(OptionalDouble::of).orElse(OptionalDouble.empty()),
                        stabilized ? Scaling.RANK_STABILIZED : Scaling.STANDARD,
                        patternValues(section, "alpha_pattern"), patternValues(section, "rank_pattern"),
                        RotationSettings.parse(section), FeedforwardLayers.parse(section)));
    }

    private static JsonObject withPrefix(JsonObject all, String prefix) {
        JsonObject section = new JsonObject();
        all.entrySet().forEach(entry -> {
            if (entry.getKey().startsWith(prefix))
                section.add(entry.getKey().substring(prefix.length()), entry.getValue());
        });
        return section;
    }

    private static double rank(JsonElement element) {
        double rank = Json.number(element);
        if (rank < 1) throw new IllegalArgumentException("rank below 1");
        return rank;
    }

    private static Map<String, Double> patternValues(Json config, String key) throws Failure {
        if (!config.has(key)) return Map.of();
        Json patterns = config.object(key);
        Map<String, Double> values = new LinkedHashMap<>();
        for (String pattern : patterns.object().keySet()) {
            try {
                Pattern.compile(pattern);
            } catch (PatternSyntaxException e) {
                throw new Failure.Unreadable(
                        patterns.source() + ": expected regular expressions over layer names, found "
                                + SafeText.of(pattern),
                        e);
            }
            values.put(pattern, patterns.number(pattern));
        }
        return values;
    }

    /// The factor of a layer's update.
    /// @param layer      its path within its component
    /// @param tensorRank the rank of its tensors; empty if they do not show it
    /// @throws IllegalArgumentException if a pattern takes too long to match, or the rank is unknown
    public double scale(String layer, OptionalDouble tensorRank) {
        double layerAlpha = matching(alphaPattern, layer).orElse(alpha);
        OptionalDouble configRank = matching(rankPattern, layer).map(OptionalDouble::of).orElse(rank);
        double r = tensorRank.isPresent() ? tensorRank.getAsDouble()
                : configRank.orElseThrow(() -> new IllegalArgumentException(
                        "expected the rank r in the adapter's configuration, found none"));
        return switch (scaling) {
            case STANDARD -> layerAlpha / r;
            case RANK_STABILIZED -> layerAlpha / Math.sqrt(r);
        };
    }

    private static Optional<Double> matching(Map<String, Double> patterns, String layer) {
        return patterns.entrySet()
                .stream()
                .filter(entry -> matches(entry.getKey(), layer))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private static boolean matches(String pattern, String layer) {
        try {
            return Pattern.compile("(.*\\.)?(" + pattern + ")")
                    .matcher(new StepLimitedText(layer, new int[1]))
                    .matches();
        } catch (PatternSyntaxException | StackOverflowError e) {
            throw new IllegalArgumentException("a pattern over layer names cannot be matched: " + SafeText.of(pattern),
                    e);
        }
    }

    /// A text that limits the number of character accesses.
    private record StepLimitedText(CharSequence text, int[] steps) implements CharSequence {
        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            if (++steps[0] > MAX_MATCH_STEPS)
                throw new IllegalArgumentException(
                        "a pattern over layer names takes too long to match " + SafeText.of(text));
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new StepLimitedText(text.subSequence(start, end), steps);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
