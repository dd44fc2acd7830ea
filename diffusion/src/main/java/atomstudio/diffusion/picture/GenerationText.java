package atomstudio.diffusion.picture;

import atomstudio.diffusion.sample.Seed;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// How a picture was made, as the text `parameters` that other programs write and read in PNG files:
/// the prompt, `Negative prompt: …`, and a last line of `Key: value` pairs.
/// Source: AUTOMATIC1111's stable-diffusion-webui, infotext; a value with a comma, colon, quote or line break is a JSON string.
/// As there, a prompt line that starts with `Negative prompt:` is read back as one, and white space around lines goes.
public record GenerationText(String prompt, String negative, Map<String, String> settings) {
    /// Keyword of the text in PNG files.
    public static final String KEYWORD = "parameters";

    private static final String NEGATIVE = "Negative prompt:";
    private static final String STRENGTH = " strength";
    private static final String TEXT_STRENGTH = " text encoder strength";

    public GenerationText {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    public static GenerationText of(String prompt, String negative) {
        return new GenerationText(prompt, negative, Map.of());
    }

    public GenerationText steps(int steps) {
        return with("Steps", Integer.toString(steps));
    }

    /// By the name that other programs have for it, e.g. `Euler a`.
    public GenerationText sampler(String title) {
        return with("Sampler", title);
    }

    /// `Karras`, or `Automatic` for the model's own spacing.
    public GenerationText schedule(String title) {
        return with("Schedule type", title);
    }

    public GenerationText guidance(double scale) {
        return with("CFG scale", number(scale));
    }

    /// The picture's own seed.
    public GenerationText seed(long seed) {
        return with("Seed", Seed.format(seed));
    }

    public GenerationText size(int width, int height) {
        return with("Size", width + "x" + height);
    }

    /// Counted as there: 1 is the text encoder's last layer.
    public GenerationText clipSkip(int clipSkip) {
        return with("Clip skip", Integer.toString(clipSkip));
    }

    public GenerationText model(String name) {
        return with("Model", name);
    }

    /// An adapter and how strongly it was applied.
    /// @param text in the text encoder
    public record Strength(String name, double strength, double text) {
        public Strength(String name, double strength) {
            this(name, strength, strength);
        }
    }

    /// With one more adapter, behind those that are there.
    public GenerationText adapter(String name, double strength) {
        String key = adapterKey(adapters().size());
        return with(key, name).with(key + STRENGTH, number(strength));
    }

    /// The same with a strength of its own in the text encoder.
    public GenerationText adapter(String name, double strength, double text) {
        String key = adapterKey(adapters().size());
        GenerationText with = adapter(name, strength);
        return text == strength ? with : with.with(key + TEXT_STRENGTH, number(text));
    }

    /// With one more hash in a list of them, as other programs have for LoRA (`Lora hashes`) and embeddings (`TI hashes`).
    /// @param hash hex SHA-256; its first 12 digits are written
    public GenerationText hash(String list, String name, String hash) {
        String one = name.replaceAll("[:,]", "") + ": " + hash.substring(0, Math.min(12, hash.length()));
        return with(list, settings.containsKey(list) ? settings.get(list) + ", " + one : one);
    }

    /// Those that were applied, in their order.
    public List<Strength> adapters() {
        List<Strength> adapters = new ArrayList<>();
        for (String name = settings.get(adapterKey(0)); name != null; name = settings.get(adapterKey(adapters.size()))) {
            String key = adapterKey(adapters.size());
            double strength = parsed(settings.get(key + STRENGTH));
            adapters.add(new Strength(name, strength, settings.containsKey(key + TEXT_STRENGTH) ? parsed(settings.get(key + TEXT_STRENGTH)) : strength));
        }
        return adapters;
    }

    private static String adapterKey(int index) {
        return index == 0 ? "Adapter" : "Adapter " + (index + 1);
    }

    private static double parsed(@Nullable String number) {
        try {
            return number == null ? 1 : Double.parseDouble(number);
        } catch (NumberFormatException edited) {
            return 1;
        }
    }

    public GenerationText version(String version) {
        return with("Version", version);
    }

    /// With one more pair at the end, or another value where the key is there already.
    public GenerationText with(String key, String value) {
        Map<String, String> more = new LinkedHashMap<>(settings);
        more.put(key, value);
        return new GenerationText(prompt, negative, more);
    }

    /// The text to put into the file.
    public String format() {
        StringBuilder text = new StringBuilder(prompt);
        if (!negative.isEmpty()) text.append('\n').append(NEGATIVE).append(' ').append(negative);
        String pairs = settings.entrySet().stream().map(pair -> pair.getKey() + ": " + quoted(pair.getValue())).collect(Collectors.joining(", "));
        return text.append('\n').append(pairs).toString();
    }

    /// The text as a PNG chunk's entry.
    public Map<String, String> toPng() {
        return Map.of(KEYWORD, format());
    }

    /// Reads what any of these programs wrote. The settings are the last line that is a list of them; extensions write lines behind it, which
    /// are left out. A text without such a line is all prompt.
    public static GenerationText parse(String text) {
        String[] lines = text.strip().split("\n", -1);
        int end = lines.length - 1;
        Map<String, String> settings = InfotextLine.parse(lines[end]);
        while (end > 0 && !InfotextLine.isSettings(settings)) settings = InfotextLine.parse(lines[--end]);
        if (!InfotextLine.isSettings(settings)) {
            end = lines.length;
            settings = Map.of();
        }
        StringBuilder[] parts = {new StringBuilder(), new StringBuilder()};
        int part = 0;
        for (int i = 0; i < end; i++) {
            String line = lines[i].strip();
            if (line.startsWith(NEGATIVE)) {
                part = 1;
                line = line.substring(NEGATIVE.length()).strip();
            }
            parts[part].append(parts[part].isEmpty() ? "" : "\n").append(line);
        }
        return new GenerationText(parts[0].toString(), parts[1].toString(), settings);
    }

    private static String quoted(String value) {
        boolean plain = value.chars().noneMatch(c -> c == ',' || c == ':' || c == '"' || c == '\n') && value.equals(value.strip());
        return plain ? value : new JsonPrimitive(value).toString();
    }

    /// 7.5 as 7.5, 4.0 as 4.
    public static String number(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
