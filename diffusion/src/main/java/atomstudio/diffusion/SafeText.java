package atomstudio.diffusion;

/// Escapes untrusted text for messages and terminals: control codes become visible escapes, so that no file can move
/// the cursor, change colours or hide characters, and long values are truncated.
public final class SafeText {
    /// Maximum length of a quoted value, in UTF-16 units.
    public static final int MAX_LENGTH = 200;

    private SafeText() {}

    /// Escapes a name or value from a file: one line, truncated to [#MAX_LENGTH].
    public static String of(Object value) {
        String text = String.valueOf(value);
        if (text.length() <= MAX_LENGTH) return escaped(text, false);
        int end = Character.isHighSurrogate(text.charAt(MAX_LENGTH - 1)) ? MAX_LENGTH - 1 : MAX_LENGTH;
        return escaped(text.substring(0, end), false) + "… (" + text.length() + " characters)";
    }

    /// Escapes a whole message: line breaks and tabs stay, every other control code is escaped.
    public static String escape(String text) {
        return escaped(text, true);
    }

    private static String escaped(String text, boolean keepLineBreaks) {
        if (text.codePoints().allMatch(code -> isPrintable(code, keepLineBreaks))) return text;
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(code -> {
            if (isPrintable(code, keepLineBreaks)) escaped.appendCodePoint(code);
            else escaped.append(String.format("\\u%04x", code));
        });
        return escaped.toString();
    }

    private static boolean isPrintable(int code, boolean keepLineBreaks) {
        if (code == '\n' || code == '\t') return keepLineBreaks;
        return !Character.isISOControl(code) && !isBidiControl(code)
                && !(code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE);
    }

    /// Bidirectional controls, and the separators that some terminals treat as line breaks.
    private static boolean isBidiControl(int code) {
        return code == 0x2028 || code == 0x2029 || code >= 0x202A && code <= 0x202E || code >= 0x2066 && code <= 0x2069;
    }
}
