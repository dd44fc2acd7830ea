package atomstudio.tuning.interop;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// How strongly an adapter of peft acts where its tensors do not tell: α and ranks of its configuration, with
/// exceptions for layers whose names match patterns.
/// Source: peft 0.21, LoraConfig and `get_pattern_key`: an exception counts for a layer whose name ends in a match.
/// @param rank where tensors do not show it
public record PeftConfig(double alpha, OptionalDouble rank, Scaling scaling, Map<String, Double> alphaPattern,
        Map<String, Double> rankPattern) {
    /// α/r, or α/√r (rsLoRA).
    public enum Scaling { STANDARD, RANK_STABILIZED }

    /// peft's own where a configuration is silent.
    private static final double DEFAULT_ALPHA = 8;
    /// Ways to begin that change the base model as well, which an adapter alone does not tell.
    private static final Set<String> BASE_CHANGING_INITS = Set.of("pissa", "olora", "corda", "loftq");
    /// How often a pattern may look at a letter: some that are a few letters long would look for hours.
    private static final int MAX_MATCH_STEPS = 100_000;

    public PeftConfig {
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern)); // of several that match, the first counts
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    }

    /// @param prefix before every key of one component's configuration; empty where it is alone
    /// @return empty where the configuration says nothing of the component
    /// @throws Failure that names the key whose value cannot be, or that changes more than the adapter tells
    public static Optional<PeftConfig> parse(Json config, String prefix) throws Failure {
        Json section = prefix.isEmpty() ? config : new Json(config.source(), withPrefix(config.object(), prefix));
        if (section.object().isEmpty()) return Optional.empty();
        String init = section.find("init_lora_weights", "a text or true or false", JsonElement::getAsString).orElse("");
        if (BASE_CHANGING_INITS.stream().anyMatch(init::startsWith)) {
            throw new Failure.Incompatible(config.source() + ": " + prefix + "init_lora_weights = " + init
                    + ": the adapter belongs to a base model that was changed too; save it as a plain LoRA with the program that made it");
        }
        Optional<Double> alpha = section.find("lora_alpha", "a number", Json::number);
        if (alpha.isEmpty()) alpha = section.find("alpha", "a number", Json::number);
        Optional<Double> rank = section.find("r", "a rank", PeftConfig::rank);
        boolean stabilized = section.find("use_rslora", "true or false", Json::bool).orElse(false);
        return Optional.of(
                new PeftConfig(alpha.orElse(DEFAULT_ALPHA), rank.map(OptionalDouble::of).orElse(OptionalDouble.empty()),
                        stabilized ? Scaling.RANK_STABILIZED : Scaling.STANDARD,
                        patternValues(section, "alpha_pattern"), patternValues(section, "rank_pattern")));
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
        if (rank < 1) throw new IllegalArgumentException("no rank");
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
                        patterns.source() + ": expected patterns of layers' names, found " + SafeText.of(pattern), e);
            }
            values.put(pattern, patterns.number(pattern));
        }
        return values;
    }

    /// What a layer's change is multiplied by.
    /// @param layer its path within its component
    /// @param tensorRank the rank that its tensors show; empty for those that may be whole
    /// @throws IllegalArgumentException when a pattern cannot be matched in any sensible time, or the rank is nowhere
    ///     told
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
            throw new IllegalArgumentException("a pattern of layers' names cannot be matched: " + SafeText.of(pattern),
                    e);
        }
    }

    /// A text that counts how often it is looked at.
    private record StepLimitedText(CharSequence text, int[] steps) implements CharSequence {
        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            if (++steps[0] > MAX_MATCH_STEPS)
                throw new IllegalArgumentException(
                        "a pattern of layers' names takes too long to match " + SafeText.of(text));
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
