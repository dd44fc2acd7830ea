package atomstudio.app.generate;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What an editor of prompts needs of A1111's syntax: the parts to colour, the change of a weight by a key, and the
/// completion of trigger words.
final class PromptSyntax {
    private static final Pattern ADAPTER_TAG = Pattern.compile("<(?i:lora|lyco):[^<>]*>");
    private static final Pattern WEIGHTED = Pattern
            .compile("\\((?:\\\\.|[^\\\\()\\[\\]])*\\)|\\[(?:\\\\.|[^\\\\()\\[\\]])*]");
    private static final Pattern WEIGHT = Pattern.compile(":\\s*([+-]?[.\\d]+)\\s*$");
    private static final BigDecimal STEP = new BigDecimal("0.1");
    private static final int MAX_DECIMALS = 4;

    private PromptSyntax() {}

    enum PartKind { TEXT, TRIGGER, EMPHASIS, ADAPTER_TAG }

    /// A part of a line.
    record Part(PartKind kind, String text) {}

    /// A text with a selection.
    record Edit(String text, int start, int end) {}

    /// The parts of a line, which together are the line.
    /// @param triggers trigger words and phrases, the longest first
    static List<Part> parts(String line, List<String> triggers) {
        PartKind[] kinds = new PartKind[line.length()];
        Arrays.fill(kinds, PartKind.TEXT);
        mark(kinds, WEIGHTED.matcher(line), PartKind.EMPHASIS);
        mark(kinds, ADAPTER_TAG.matcher(line), PartKind.ADAPTER_TAG);
        for (String trigger : triggers)
            if (!trigger.isBlank()) mark(kinds, wholeWords(trigger).matcher(line), PartKind.TRIGGER);
        List<Part> parts = new ArrayList<>();
        for (int from = 0; from < kinds.length;) {
            int to = from + 1;
            while (to < kinds.length && kinds[to] == kinds[from]) to++;
            parts.add(new Part(kinds[from], line.substring(from, to)));
            from = to;
        }
        return parts;
    }

    private static void mark(PartKind[] kinds, Matcher found, PartKind kind) {
        while (found.find()) Arrays.fill(kinds, found.start(), found.end(), kind);
    }

    private static Pattern wholeWords(String phrase) {
        return Pattern.compile("(?<![\\p{L}\\p{N}])" + Pattern.quote(phrase) + "(?![\\p{L}\\p{N}])",
                Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
    }

    /// Changes the weight of the selection, or of the brackets or the word around the caret. At weight 1 the brackets
    /// are removed.
    /// Source: AUTOMATIC1111's stable-diffusion-webui, `edit-attention.js`.
    /// @param direction 1 or -1 steps of 0.1
    static Edit changeWeight(Edit before, int direction) {
        Edit selected = select(before);
        String text = selected.text;
        int start = selected.start, end = selected.end;
        if (start == end) return before;
        if (start == 0 || "(<".indexOf(text.charAt(start - 1)) < 0) {
            text = text.substring(0, start) + "(" + text.substring(start, end) + ":1)" + text.substring(end);
            start++;
            end++;
        }
        boolean isTag = text.charAt(start - 1) == '<';
        int close = text.indexOf(isTag ? '>' : ')', end);
        if (close < 0) return before;
        String inside = text.substring(start, close);
        Matcher written = WEIGHT.matcher(inside);
        boolean hasWeight = written.find();
        if (!hasWeight && isTag) return before;
        // (word) without a number is 1.1.
        BigDecimal weight = number(hasWeight ? written.group(1) : "1.1").add(STEP.multiply(new BigDecimal(direction)));
        int wordsEnd = start + (hasWeight ? written.start() : inside.length());
        String words = text.substring(start, wordsEnd);
        if (!isTag && weight.compareTo(BigDecimal.ONE) == 0)
            return new Edit(text.substring(0, start - 1) + words + text.substring(close + 1), start - 1,
                    start - 1 + words.length());
        return new Edit(text.substring(0, wordsEnd) + ":" + format(weight) + text.substring(close), start, wordsEnd);
    }

    private static BigDecimal number(String written) {
        try {
            return new BigDecimal(written).setScale(MAX_DECIMALS, RoundingMode.HALF_UP);
        } catch (NumberFormatException invalid) {
            return BigDecimal.ONE;
        }
    }

    private static String format(BigDecimal weight) {
        BigDecimal plain = weight.stripTrailingZeros();
        return (plain.scale() < 1 ? plain.setScale(1, RoundingMode.UNNECESSARY) : plain).toPlainString();
    }

    private static Edit select(Edit edit) {
        if (edit.start != edit.end) return withoutSpaces(edit);
        return brackets(edit, '<', '>').or(() -> brackets(edit, '(', ')')).orElseGet(() -> word(edit));
    }

    private static Edit withoutSpaces(Edit edit) {
        int start = edit.start, end = edit.end;
        while (start < end && Character.isWhitespace(edit.text.charAt(start))) start++;
        while (end > start && Character.isWhitespace(edit.text.charAt(end - 1))) end--;
        return new Edit(edit.text, start, end);
    }

    /// The text in the innermost brackets around the caret.
    private static Optional<Edit> brackets(Edit edit, char open, char close) {
        int depth = 0;
        for (int i = edit.start - 1; i >= 0; i--) {
            char c = edit.text.charAt(i);
            if (c == close) depth++;
            if (c != open || depth-- > 0) continue;
            int end = edit.text.indexOf(close, edit.start);
            if (end < 0) return Optional.empty();
            Matcher weight = WEIGHT.matcher(edit.text.substring(i + 1, end));
            return Optional.of(new Edit(edit.text, i + 1, weight.find() ? i + 1 + weight.start() : end));
        }
        return Optional.empty();
    }

    private static Edit word(Edit edit) {
        int start = edit.start, end = edit.end;
        while (start > 0 && isWordCharacter(edit.text.charAt(start - 1))) start--;
        while (end < edit.text.length() && isWordCharacter(edit.text.charAt(end))) end++;
        return new Edit(edit.text, start, end);
    }

    private static boolean isWordCharacter(char c) {
        return !Character.isWhitespace(c) && ".,\\/!?%^*;:{}=`~()<>[]".indexOf(c) < 0;
    }

    /// The first trigger that begins with the word before the caret and continues it.
    static Optional<String> completion(String text, int caret, List<String> triggers) {
        int start = word(new Edit(text, caret, caret)).start;
        String typed = text.substring(start, caret).toLowerCase(Locale.ROOT);
        if (typed.isEmpty() || caret < text.length() && isWordCharacter(text.charAt(caret))) return Optional.empty();
        return triggers.stream()
                .filter(trigger -> trigger.length() > typed.length()
                        && trigger.toLowerCase(Locale.ROOT).startsWith(typed))
                .findFirst();
    }

    /// The text with the word before the caret replaced; the caret is behind it.
    static Edit complete(String text, int caret, String trigger) {
        int start = word(new Edit(text, caret, caret)).start;
        int end = start + trigger.length();
        return new Edit(text.substring(0, start) + trigger + text.substring(caret), end, end);
    }
}
