package atomstudio.diffusion.image;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// One line of `Key: value` pairs. A key has letters, digits, spaces, `_`, `-` and `/`; a value ends at a comma, or
/// is a JSON string. Read in one pass, so that a long line takes time in proportion to its length.
/// Source: AUTOMATIC1111's stable-diffusion-webui, infotext_utils.py, `re_param`.
final class InfotextLine {
    private static final int MIN_PAIRS = 3;
    private static final int MIN_KNOWN_KEYS = 2;
    private static final Predicate<String> INTEGER = Pattern.compile("-?\\d{1,20}").asMatchPredicate();
    private static final Predicate<String> NUMBER = Pattern.compile("\\d{1,6}(?:\\.\\d{0,20})?").asMatchPredicate();
    /// What tells settings from a prompt that has colons, with the values that these keys have.
    private static final Map<String, Predicate<String>> KNOWN_KEYS = Map.of("Steps", INTEGER, "Seed", INTEGER,
            "CFG scale", NUMBER,
            "Size", Pattern.compile("\\d{1,6}x\\d{1,6}").asMatchPredicate(), "Sampler", value -> !value.isEmpty());

    private final String line;
    private int position;

    private InfotextLine(String line) {
        this.line = line;
    }

    /// The pairs in their order; a line of other words may have some too.
    static Map<String, String> parse(String line) {
        InfotextLine parser = new InfotextLine(line);
        Map<String, String> pairs = new LinkedHashMap<>();
        while (parser.position < line.length()) parser.parsePair(pairs);
        return pairs;
    }

    /// Whether these pairs are how a picture was made, and not words of a prompt.
    static boolean isSettings(Map<String, String> pairs) {
        return pairs.size() >= MIN_PAIRS && KNOWN_KEYS.entrySet()
                .stream()
                .filter(known -> pairs.containsKey(known.getKey()) && known.getValue().test(pairs.get(known.getKey())))
                .count() >= MIN_KNOWN_KEYS;
    }

    /// What lies before the next comma.
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

    /// The longest key that ends before a colon; empty where none does.
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

    /// Up to the next comma, which is passed over.
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

    /// Behind the closing quote where a comma or the end of the line follows; −1 otherwise.
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
