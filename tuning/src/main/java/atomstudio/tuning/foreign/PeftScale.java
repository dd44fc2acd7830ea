package atomstudio.tuning.foreign;

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

/// How strongly an adapter of peft acts where its tensors do not tell: α and ranks of its configuration, with exceptions for layers whose names
/// match patterns.
/// Source: peft 0.21, LoraConfig and `get_pattern_key`: an exception counts for a layer whose name ends in a match.
/// @param rank where tensors do not show it
public record PeftScale(double alpha, OptionalDouble rank, Form form, Map<String, Double> alphas, Map<String, Double> ranks) {
    /// α/r, or α/√r (rsLoRA).
    public enum Form { STANDARD, RANK_STABILIZED }

    /// peft's own where a configuration is silent.
    private static final double USUAL_ALPHA = 8;
    /// Ways to begin that change the base model as well, which an adapter alone does not tell.
    private static final Set<String> CHANGING_THE_BASE = Set.of("pissa", "olora", "corda", "loftq");
    /// How often a pattern may look at a letter: some that are a few letters long would look for hours.
    private static final int MOST_LOOKS = 100_000;

    public PeftScale {
        alphas = Collections.unmodifiableMap(new LinkedHashMap<>(alphas));       // of several that match, the first counts
        ranks = Collections.unmodifiableMap(new LinkedHashMap<>(ranks));
    }

    /// @param prefix before every key of one component's configuration; empty where it is alone
    /// @return empty where the configuration says nothing of the component
    /// @throws Failure that names the key whose value cannot be, or that changes more than the adapter tells
    public static Optional<PeftScale> read(Json config, String prefix) throws Failure {
        Json own = prefix.isEmpty() ? config : new Json(config.source(), within(config.object(), prefix));
        if (own.object().isEmpty()) return Optional.empty();
        String start = own.find("init_lora_weights", "a text or true or false", JsonElement::getAsString).orElse("");
        if (CHANGING_THE_BASE.stream().anyMatch(start::startsWith)) {
            throw new Failure.Incompatible(config.source() + ": " + prefix + "init_lora_weights = " + start + ": the adapter belongs to a base model that was changed too; save it as a plain LoRA with the program that made it");
        }
        Optional<Double> alpha = own.find("lora_alpha", "a number", Json::number);
        if (alpha.isEmpty()) alpha = own.find("alpha", "a number", Json::number);
        Optional<Double> rank = own.find("r", "a rank", PeftScale::rank);
        boolean stabilized = own.find("use_rslora", "true or false", Json::bool).orElse(false);
        return Optional.of(new PeftScale(alpha.orElse(USUAL_ALPHA), rank.map(OptionalDouble::of).orElse(OptionalDouble.empty()), stabilized ? Form.RANK_STABILIZED : Form.STANDARD,
                numbers(own, "alpha_pattern"), numbers(own, "rank_pattern")));
    }

    private static JsonObject within(JsonObject all, String prefix) {
        JsonObject own = new JsonObject();
        all.entrySet().forEach(entry -> {
            if (entry.getKey().startsWith(prefix)) own.add(entry.getKey().substring(prefix.length()), entry.getValue());
        });
        return own;
    }

    private static double rank(JsonElement element) {
        double rank = Json.number(element);
        if (rank < 1) throw new IllegalArgumentException("no rank");
        return rank;
    }

    private static Map<String, Double> numbers(Json config, String key) throws Failure {
        if (!config.has(key)) return Map.of();
        Json patterns = config.object(key);
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (String pattern : patterns.object().keySet()) {
            try {
                Pattern.compile(pattern);
            } catch (PatternSyntaxException e) {
                throw new Failure.Unreadable(patterns.source() + ": expected patterns of layers' names, found " + SafeText.of(pattern), e);
            }
            numbers.put(pattern, patterns.number(pattern));
        }
        return numbers;
    }

    /// What a layer's change is multiplied by.
    /// @param layer its path within its component
    /// @param shown the rank that its tensors show; empty for those that may be whole
    /// @throws IllegalArgumentException when a pattern cannot be matched in any sensible time, or the rank is nowhere told
    public double scale(String layer, OptionalDouble shown) {
        double own = matching(alphas, layer).orElse(alpha);
        OptionalDouble told = matching(ranks, layer).map(OptionalDouble::of).orElse(rank);
        double r = shown.isPresent() ? shown.getAsDouble() : told.orElseThrow(() -> new IllegalArgumentException("expected the rank r in the adapter's configuration, found none"));
        return switch (form) {
            case STANDARD -> own / r;
            case RANK_STABILIZED -> own / Math.sqrt(r);
        };
    }

    private static Optional<Double> matching(Map<String, Double> patterns, String layer) {
        return patterns.entrySet().stream().filter(entry -> matches(entry.getKey(), layer)).map(Map.Entry::getValue).findFirst();
    }

    private static boolean matches(String pattern, String layer) {
        try {
            return Pattern.compile("(.*\\.)?(" + pattern + ")").matcher(new Watched(layer, new int[1])).matches();
        } catch (PatternSyntaxException | StackOverflowError e) {
            throw new IllegalArgumentException("a pattern of layers' names cannot be matched: " + SafeText.of(pattern), e);
        }
    }

    /// A text that counts how often it is looked at.
    private record Watched(CharSequence text, int[] looks) implements CharSequence {
        @Override public int length() {
            return text.length();
        }

        @Override public char charAt(int index) {
            if (++looks[0] > MOST_LOOKS) throw new IllegalArgumentException("a pattern of layers' names takes too long to match " + SafeText.of(text));
            return text.charAt(index);
        }

        @Override public CharSequence subSequence(int start, int end) {
            return new Watched(text.subSequence(start, end), looks);
        }

        @Override public String toString() {
            return text.toString();
        }
    }
}
