package atomstudio.diffusion.picture;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// One line of `Key: value` pairs. A key has letters, digits, spaces, `_`, `-` and `/`; a value ends at a comma, or is a JSON string. Read in
/// one pass, so that a long line takes time in proportion to its length.
/// Source: AUTOMATIC1111's stable-diffusion-webui, infotext_utils.py, `re_param`.
final class InfotextLine {
    private static final int FEWEST_PAIRS = 3;
    private static final int FEWEST_KNOWN = 2;
    private static final Predicate<String> WHOLE = Pattern.compile("-?\\d{1,20}").asMatchPredicate();
    private static final Predicate<String> NUMBER = Pattern.compile("\\d{1,6}(?:\\.\\d{0,20})?").asMatchPredicate();
    /// What tells settings from a prompt that has colons, with the values that these keys have.
    private static final Map<String, Predicate<String>> KNOWN = Map.of("Steps", WHOLE, "Seed", WHOLE, "CFG scale", NUMBER,
        "Size", Pattern.compile("\\d{1,6}x\\d{1,6}").asMatchPredicate(), "Sampler", value -> !value.isEmpty());

    private final String line;
    private int at;

    private InfotextLine(String line) {
        this.line = line;
    }

    /// The pairs in their order; a line of other words may have some too.
    static Map<String, String> parse(String line) {
        InfotextLine reading = new InfotextLine(line);
        Map<String, String> pairs = new LinkedHashMap<>();
        while (reading.at < line.length()) reading.pair(pairs);
        return pairs;
    }

    /// Whether these pairs are how a picture was made, and not words of a prompt.
    static boolean isSettings(Map<String, String> pairs) {
        return pairs.size() >= FEWEST_PAIRS && KNOWN.entrySet().stream().filter(known -> pairs.containsKey(known.getKey()) && known.getValue().test(pairs.get(known.getKey()))).count() >= FEWEST_KNOWN;
    }

    /// What lies before the next comma.
    private void pair(Map<String, String> pairs) {
        int start = at;
        while (at < line.length() && line.charAt(at) != ',') {
            if (line.charAt(at) == ':') {
                String key = key(start, at);
                start = at + 1;
                if (!key.isEmpty()) {
                    at++;
                    pairs.put(key, value());
                    return;
                }
            }
            at++;
        }
        at++;
    }

    /// The longest key that ends before a colon; empty where none does.
    private String key(int from, int colon) {
        int first = colon;
        while (first > from && inKey(line.charAt(first - 1))) first--;
        while (first < colon && !begins(line.charAt(first))) first++;
        return colon - first < 2 ? "" : line.substring(first, colon);
    }

    private static boolean begins(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    private static boolean inKey(char c) {
        return begins(c) || c == ' ' || c == '-' || c == '/';
    }

    /// Up to the next comma, which is passed over.
    private String value() {
        while (at < line.length() && Character.isWhitespace(line.charAt(at))) at++;
        int end = at < line.length() && line.charAt(at) == '"' ? quoteEnd() : -1;
        if (end < 0) {
            end = line.indexOf(',', at);
            if (end < 0) end = line.length();
        }
        String value = line.substring(at, end).strip();
        at = end + 1;
        return unquoted(value);
    }

    /// Behind the closing quote where a comma or the end of the line follows; −1 otherwise.
    private int quoteEnd() {
        int end = at + 1;
        while (end < line.length() && line.charAt(end) != '"') end += line.charAt(end) == '\\' ? 2 : 1;
        end++;
        return end == line.length() || end < line.length() && line.charAt(end) == ',' ? end : -1;
    }

    private static String unquoted(String value) {
        if (!value.startsWith("\"")) return value;
        try {
            return JsonParser.parseString(value).getAsString();
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException notJson) {
            return value;
        }
    }
}
