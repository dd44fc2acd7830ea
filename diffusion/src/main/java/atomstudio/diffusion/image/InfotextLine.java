package atomstudio.diffusion.image;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Parses a line of `Key: value` pairs in linear time. A key has letters, digits, spaces, `_`, `-` and `/`; a value
/// ends at a comma, or is a JSON string.
/// Source: AUTOMATIC1111's stable-diffusion-webui, infotext_utils.py, `re_param`.
final class InfotextLine {
    private static final int MIN_PAIRS = 3;
    private static final int MIN_KNOWN_KEYS = 2;
    private static final Predicate<String> INTEGER = Pattern.compile("-?\\d{1,20}").asMatchPredicate();
    private static final Predicate<String> NUMBER = Pattern.compile("\\d{1,6}(?:\\.\\d{0,20})?").asMatchPredicate();
    /// Keys that distinguish settings from a prompt with colons, and the form of their values.
    private static final Map<String, Predicate<String>> KNOWN_KEYS = Map.of("Steps", INTEGER, "Seed", INTEGER,
            "CFG scale", NUMBER,
            "Size", Pattern.compile("\\d{1,6}x\\d{1,6}").asMatchPredicate(), "Sampler", value -> !value.isEmpty());

    private final String line;
    private int position;

    private InfotextLine(String line) {
        this.line = line;
    }

    /// The pairs in order; prompt text may contain some too.
    static Map<String, String> parse(String line) {
        InfotextLine parser = new InfotextLine(line);
        Map<String, String> pairs = new LinkedHashMap<>();
        while (parser.position < line.length()) parser.parsePair(pairs);
        return pairs;
    }

    /// Whether the pairs are settings rather than part of a prompt.
    static boolean isSettings(Map<String, String> pairs) {
        long known = pairs.entrySet()
                .stream()
                .filter(pair -> KNOWN_KEYS.getOrDefault(pair.getKey(), value -> false).test(pair.getValue()))
                .count();
        return pairs.size() >= MIN_PAIRS && known >= MIN_KNOWN_KEYS;
    }

    /// Parses up to the next comma.
    private void parsePair(Map<String, String> pairs) {
        int start = position;
        while (position < line.length() && line.charAt(position) != ',') {
            if (line.charAt(position) == ':') {
                String key = parseKey(start, position);
                start = position + 1;
                if (!key.isEmpty()) {
                    position++;
                    pairs.put(key, parseValue());
                    return;
                }
            }
            position++;
        }
        position++;
    }

    /// The longest key that ends at a colon; empty if there is none.
    private String parseKey(int from, int colon) {
        int first = colon;
        while (first > from && isKeyPart(line.charAt(first - 1))) first--;
        while (first < colon && !isKeyStart(line.charAt(first))) first++;
        return colon - first < 2 ? "" : line.substring(first, colon);
    }

    private static boolean isKeyStart(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    private static boolean isKeyPart(char c) {
        return isKeyStart(c) || c == ' ' || c == '-' || c == '/';
    }

    /// Parses up to and including the next comma.
    private String parseValue() {
        while (position < line.length() && Character.isWhitespace(line.charAt(position))) position++;
        int end = position < line.length() && line.charAt(position) == '"' ? quoteEnd() : -1;
        if (end < 0) {
            end = line.indexOf(',', position);
            if (end < 0) end = line.length();
        }
        String value = line.substring(position, end).strip();
        position = end + 1;
        return unquote(value);
    }

    /// Index after the closing quote if a comma or the end of the line follows it, else −1.
    private int quoteEnd() {
        int end = position + 1;
        while (end < line.length() && line.charAt(end) != '"') end += line.charAt(end) == '\\' ? 2 : 1;
        end++;
        return end == line.length() || end < line.length() && line.charAt(end) == ',' ? end : -1;
    }

    private static String unquote(String value) {
        if (!value.startsWith("\"")) return value;
        try {
            return JsonParser.parseString(value).getAsString();
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException notJson) {
            return value;
        }
    }
}
