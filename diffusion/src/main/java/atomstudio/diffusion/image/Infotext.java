package atomstudio.diffusion.image;

import atomstudio.diffusion.sample.Seed;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A1111's infotext, the generation parameters in the PNG text `parameters`: the prompt, `Negative prompt: …`, and a
/// last line of `Key: value` pairs. A value with a comma, colon, quote or line break is a JSON string. As in A1111, a
/// prompt line that starts with `Negative prompt:` is parsed as the negative prompt, and lines are trimmed.
///
/// Tags by which other programs load adapters (`<lora:car:0.8>`) follow the prompt in the text only: formatting adds
/// them, and parsing removes those of the adapters in the settings, which are keys of this program.
/// Source: AUTOMATIC1111's stable-diffusion-webui, modules/infotext_utils.py.
public record Infotext(String prompt, String negativePrompt, Map<String, String> settings) {
    public static final String PNG_KEYWORD = "parameters";

    private static final String NEGATIVE_PREFIX = "Negative prompt:";
    private static final String WEIGHT_SUFFIX = " strength";
    private static final String TEXT_ENCODER_WEIGHT_SUFFIX = " text encoder strength";
    /// Hashes of LoRA and of all adapters but embeddings.
    public static final String LORA_HASHES = "Lora hashes";
    /// Hashes of embeddings, which have no tags.
    public static final String EMBEDDING_HASHES = "TI hashes";
    /// Characters that separate the parts of tags and of lists of hashes.
    private static final Pattern SEPARATORS = Pattern.compile("[:,]");

    public Infotext {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    public static Infotext of(String prompt, String negativePrompt) {
        return new Infotext(prompt, negativePrompt, Map.of());
    }

    public Infotext withSteps(int steps) {
        return with("Steps", Integer.toString(steps));
    }

    /// @param title A1111's name, e.g. `Euler a`
    public Infotext withSampler(String title) {
        return with("Sampler", title);
    }

    /// @param title `Karras`, or `Automatic` for the model's default
    public Infotext withScheduleType(String title) {
        return with("Schedule type", title);
    }

    public Infotext withGuidanceScale(double scale) {
        return with("CFG scale", formatNumber(scale));
    }

    public Infotext withSeed(long seed) {
        return with("Seed", Seed.format(seed));
    }

    public Infotext withSize(int width, int height) {
        return with("Size", width + "x" + height);
    }

    /// @param clipSkip as in A1111: 1 is the last layer of the text encoder
    public Infotext withClipSkip(int clipSkip) {
        return with("Clip skip", Integer.toString(clipSkip));
    }

    public Infotext withModel(String name) {
        return with("Model", name);
    }

    /// An adapter and its weights in the UNet and the text encoder.
    public record AdapterEntry(String name, double weight, double textEncoderWeight) {
        public AdapterEntry(String name, double weight) {
            this(name, weight, weight);
        }
    }

    /// Adds an adapter.
    public Infotext withAdapter(String name, double weight) {
        String key = adapterKey(adapters().size());
        return with(key, name).with(key + WEIGHT_SUFFIX, formatNumber(weight));
    }

    /// Adds an adapter with a separate weight in the text encoder.
    public Infotext withAdapter(String name, double weight, double textEncoderWeight) {
        String key = adapterKey(adapters().size());
        Infotext added = withAdapter(name, weight);
        return textEncoderWeight == weight ? added
                : added.with(key + TEXT_ENCODER_WEIGHT_SUFFIX, formatNumber(textEncoderWeight));
    }

    /// Adds a hash to a list, such as `Lora hashes` or `TI hashes` for embeddings.
    /// @param hash hex SHA-256, of which the first 12 digits are written
    public Infotext withHash(String list, String name, String hash) {
        String entry = plainName(name) + ": " + hash.substring(0, Math.min(12, hash.length()));
        return with(list, settings.containsKey(list) ? settings.get(list) + ", " + entry : entry);
    }

    /// The adapters, in order.
    public List<AdapterEntry> adapters() {
        List<AdapterEntry> adapters = new ArrayList<>();
        for (String name = settings.get(adapterKey(0)); name != null;
                name = settings.get(adapterKey(adapters.size()))) {
            String key = adapterKey(adapters.size());
            double weight = parseWeight(settings.get(key + WEIGHT_SUFFIX));
            adapters.add(new AdapterEntry(name, weight,
                    settings.containsKey(key + TEXT_ENCODER_WEIGHT_SUFFIX)
                            ? parseWeight(settings.get(key + TEXT_ENCODER_WEIGHT_SUFFIX))
                            : weight));
        }
        return adapters;
    }

    private static String plainName(String name) {
        return SEPARATORS.matcher(name).replaceAll("");
    }

    /// The tags of the adapters, with a space before each.
    private String loraTags() {
        List<String> embeddings = Stream.of(settings.getOrDefault(EMBEDDING_HASHES, "").split(","))
                .map(entry -> entry.substring(0, Math.max(0, entry.indexOf(':'))).strip())
                .toList();
        return adapters().stream()
                .filter(adapter -> !embeddings.contains(plainName(adapter.name())))
                .map(Infotext::loraTag)
                .collect(Collectors.joining());
    }

    /// A1111's order: the weight in the text encoder, then that in the UNet if it differs.
    private static String loraTag(AdapterEntry adapter) {
        String unet = adapter.weight() == adapter.textEncoderWeight() ? "" : ":" + formatNumber(adapter.weight());
        return " <lora:" + plainName(adapter.name()).replaceAll("[<>]", "") + ":"
                + formatNumber(adapter.textEncoderWeight()) + unet + ">";
    }

    private static String adapterKey(int index) {
        return index == 0 ? "Adapter" : "Adapter " + (index + 1);
    }

    private static double parseWeight(@Nullable String number) {
        try {
            return number == null ? 1 : Double.parseDouble(number);
        } catch (NumberFormatException edited) {
            return 1;
        }
    }

    public Infotext withVersion(String version) {
        return with("Version", version);
    }

    /// Sets a value; a new key is added at the end.
    public Infotext with(String key, String value) {
        Map<String, String> changed = new LinkedHashMap<>(settings);
        changed.put(key, value);
        return new Infotext(prompt, negativePrompt, changed);
    }

    public String format() {
        StringBuilder text = new StringBuilder((prompt + loraTags()).strip());
        if (!negativePrompt.isEmpty()) text.append('\n').append(NEGATIVE_PREFIX).append(' ').append(negativePrompt);
        String pairs = settings.entrySet()
                .stream()
                .map(pair -> pair.getKey() + ": " + quote(pair.getValue()))
                .collect(Collectors.joining(", "));
        return text.append('\n').append(pairs).toString();
    }

    /// The text by its PNG keyword.
    public Map<String, String> toPngText() {
        return Map.of(PNG_KEYWORD, format());
    }

    /// Parses the infotext of any program. The settings are the last line of `Key: value` pairs; lines after it, which
    /// extensions add, are ignored. A text without such a line is all prompt.
    public static Infotext parse(String text) {
        String[] lines = text.strip().split("\n", -1);
        int end = lines.length - 1;
        Map<String, String> settings = InfotextLine.parse(lines[end]);
        while (end > 0 && !InfotextLine.isSettings(settings)) settings = InfotextLine.parse(lines[--end]);
        if (!InfotextLine.isSettings(settings)) {
            end = lines.length;
            settings = Map.of();
        }
        StringBuilder[] parts = {new StringBuilder(), new StringBuilder()};
        int current = 0;
        for (int i = 0; i < end; i++) {
            String line = lines[i].strip();
            if (line.startsWith(NEGATIVE_PREFIX)) {
                current = 1;
                line = line.substring(NEGATIVE_PREFIX.length()).strip();
            }
            parts[current].append(parts[current].isEmpty() ? "" : "\n").append(line);
        }
        Infotext parsed = new Infotext(parts[0].toString(), parts[1].toString(), settings);
        return parsed.withoutLoraTags();
    }

    private Infotext withoutLoraTags() {
        String tags = loraTags();
        String text = " " + prompt;
        if (tags.isEmpty() || !text.endsWith(tags)) return this;
        return new Infotext(text.substring(0, text.length() - tags.length()).strip(), negativePrompt, settings);
    }

    private static String quote(String value) {
        boolean isPlain = value.chars().noneMatch(c -> c == ',' || c == ':' || c == '"' || c == '\n')
                && value.equals(value.strip());
        return isPlain ? value : new JsonPrimitive(value).toString();
    }

    /// A decimal number without trailing zeros.
    public static String formatNumber(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
