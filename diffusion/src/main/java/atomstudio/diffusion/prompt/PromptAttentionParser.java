package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What people write into prompts to stress words: `(word)` × 1.1, `[word]` ÷ 1.1, `(word:1.3)` × 1.3, one within
/// another multiplied, `\(` and its like for the signs themselves, BREAK for the end of a chunk. Brackets that nobody
/// closes reach to the end; closing ones that nobody opened are text. As in its source, BREAK within brackets is a
/// word.
/// Source: AUTOMATIC1111's stable-diffusion-webui 1.6 and later, how it reads attention in prompts.
public final class PromptAttentionParser {
    private static final double EMPHASIS = 1.1;
    private static final double DEEMPHASIS = 1 / EMPHASIS;
    /// Longer prompts, which nobody writes, are refused: their time and memory grow with every chunk.
    static final int MAX_LENGTH = 100_000;
    /// Open brackets at a time; 1.1 to this power is still a number in float32.
    private static final int MAX_OPEN_BRACKETS = 500;
    private static final int MAX_QUOTED_LENGTH = 40;
    private static final String BREAK = "BREAK";
    private static final double BREAK_WEIGHT = -1;
    private static final Pattern TOKEN = Pattern.compile(
            "\\\\[()\\[\\]\\\\]?|[(\\[]|:\\s*([+-]?[.\\d]+)\\s*\\)|[)\\]]|[^\\\\()\\[\\]:]+|:",
            Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern BREAK_WORD = Pattern.compile("\\bBREAK\\b", Pattern.UNICODE_CHARACTER_CLASS);

    private final List<WeightedText> parts = new ArrayList<>();
    private final Deque<Integer> roundBrackets = new ArrayDeque<>();
    private final Deque<Integer> squareBrackets = new ArrayDeque<>();

    /// A part that brackets around it still multiply; BREAK is the text of that name at −1.
    private record WeightedText(String text, double weight) {}

    private PromptAttentionParser() {}

    /// At least one segment; neighbours have different weights.
    /// @throws Failure.Incompatible for a weight that is no number, as in `(word:1.2.3)`, a prompt of too many
    ///     letters, or too many open brackets
    public static List<Segment> parse(String prompt) throws Failure {
        if (prompt.length() > MAX_LENGTH)
            throw new Failure.Incompatible(
                    "the prompt has " + prompt.length() + " letters; expected at most " + MAX_LENGTH);
        PromptAttentionParser parser = new PromptAttentionParser();
        Matcher token = TOKEN.matcher(prompt);
        while (token.find()) parser.consume(token.group(), token.group(1) == null ? "" : token.group(1));
        while (!parser.roundBrackets.isEmpty()) parser.multiply(parser.roundBrackets.removeLast(), EMPHASIS);
        while (!parser.squareBrackets.isEmpty()) parser.multiply(parser.squareBrackets.removeLast(), DEEMPHASIS);
        return parser.segments();
    }

    private void consume(String token, String weight) throws Failure {
        if (token.startsWith("\\")) parts.add(new WeightedText(token.substring(1), 1));
        else if (token.equals("(")) openBracket(roundBrackets);
        else if (token.equals("[")) openBracket(squareBrackets);
        else
            if (!weight.isEmpty() && !roundBrackets.isEmpty())
                multiply(roundBrackets.pop(), parseWeight(token, weight));
            else
                if (token.equals(")") && !roundBrackets.isEmpty()) multiply(roundBrackets.pop(), EMPHASIS);
                else if (token.equals("]") && !squareBrackets.isEmpty()) multiply(squareBrackets.pop(), DEEMPHASIS);
                else addText(token);
    }

    private void openBracket(Deque<Integer> brackets) throws Failure {
        if (roundBrackets.size() + squareBrackets.size() == MAX_OPEN_BRACKETS) {
            throw new Failure.Incompatible("the prompt has more than " + MAX_OPEN_BRACKETS
                    + " brackets that are open at a time; close them, or write \\( and \\[ to mean the signs themselves");
        }
        brackets.push(parts.size());
    }

    private static double parseWeight(String token, String weight) throws Failure {
        try {
            return Double.parseDouble(weight);
        } catch (NumberFormatException e) {
            throw new Failure.Incompatible("the prompt has \"" + truncate(token)
                    + "\": expected a number for a weight, as in (word:1.2), found " + truncate(weight)
                    + "; to mean the signs themselves write \\( and \\)");
        }
    }

    private static String truncate(String text) {
        return text.length() <= MAX_QUOTED_LENGTH ? text : text.substring(0, MAX_QUOTED_LENGTH) + "…";
    }

    private void multiply(int from, double factor) {
        for (int i = from; i < parts.size(); i++)
            parts.set(i, new WeightedText(parts.get(i).text, parts.get(i).weight * factor));
    }

    /// White space around BREAK goes with it.
    private void addText(String text) {
        Matcher matcher = BREAK_WORD.matcher(text);
        int start = 0;
        while (matcher.find()) {
            String before = text.substring(start, matcher.start()).stripTrailing();
            parts.add(new WeightedText(start == 0 ? before : before.stripLeading(), 1));
            parts.add(new WeightedText(BREAK, BREAK_WEIGHT));
            start = matcher.end();
        }
        parts.add(new WeightedText(start == 0 ? text : text.substring(start).stripLeading(), 1));
    }

    private List<Segment> segments() {
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < parts.size();) {
            double weight = parts.get(i).weight;
            StringBuilder text = new StringBuilder();
            for (; i < parts.size() && parts.get(i).weight == weight; i++) text.append(parts.get(i).text);
            segments.add(weight == BREAK_WEIGHT && text.toString().equals(BREAK) ? new Segment.Break()
                    : new Segment.Text(text.toString(), weight));
        }
        return segments.isEmpty() ? List.of(new Segment.Text("", 1)) : List.copyOf(segments);
    }

    /// A part of a prompt as [PromptAttentionParser] reads it.
    public sealed interface Segment {
        /// Text that is read at one weight; 1 leaves it as the text encoder says it.
        record Text(String text, double weight) implements Segment {}

        /// Where a chunk ends though it is not full.
        record Break() implements Segment {}
    }
}
