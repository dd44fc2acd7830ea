package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Parses A1111's attention syntax: `(word)` multiplies the weight by 1.1, `[word]` divides it by 1.1, `(word:1.3)`
/// multiplies it by 1.3; nested weights multiply; a backslash escapes a bracket; BREAK ends a chunk. Unclosed brackets
/// extend to the end of the prompt, unmatched closing brackets are text. As in the reference, BREAK inside brackets is
/// a word.
/// Source: AUTOMATIC1111's stable-diffusion-webui 1.6 and later, `parse_prompt_attention`.
public final class PromptAttentionParser {
    private static final double EMPHASIS = 1.1;
    private static final double DEEMPHASIS = 1 / EMPHASIS;
    /// Longer prompts are rejected: time and memory grow with every chunk.
    static final int MAX_LENGTH = 100_000;
    /// Limit on nested brackets; 1.1 to this power is still finite in float32.
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

    /// Text and its weight so far; BREAK has the weight −1.
    private record WeightedText(String text, double weight) {}

    private PromptAttentionParser() {}

    /// @return at least one segment; adjacent segments have different weights
    /// @throws Failure.Incompatible for an invalid weight such as `(word:1.2.3)`, a prompt that is too long, or too
    ///     many nested brackets
    public static List<Segment> parse(String prompt) throws Failure {
        if (prompt.length() > MAX_LENGTH)
            throw new Failure.Incompatible(
                    "the prompt has " + prompt.length() + " characters; expected at most " + MAX_LENGTH);
        PromptAttentionParser parser = new PromptAttentionParser();
        Matcher token = TOKEN.matcher(prompt);
        while (token.find()) parser.consume(token.group(), token.group(1) == null ? "" : token.group(1));
        while (!parser.roundBrackets.isEmpty()) parser.multiply(parser.roundBrackets.removeLast(), EMPHASIS);
        while (!parser.squareBrackets.isEmpty()) parser.multiply(parser.squareBrackets.removeLast(), DEEMPHASIS);
        return parser.segments();
    }

    private void consume(String token, String weight) throws Failure {
        if (token.startsWith("\\")) {
            parts.add(new WeightedText(token.substring(1), 1));
        } else if (token.equals("(")) {
            openBracket(roundBrackets);
        } else if (token.equals("[")) {
            openBracket(squareBrackets);
        } else if (!weight.isEmpty() && !roundBrackets.isEmpty()) {
            multiply(roundBrackets.pop(), parseWeight(token, weight));
        } else if (token.equals(")") && !roundBrackets.isEmpty()) {
            multiply(roundBrackets.pop(), EMPHASIS);
        } else if (token.equals("]") && !squareBrackets.isEmpty()) {
            multiply(squareBrackets.pop(), DEEMPHASIS);
        } else {
            addText(token);
        }
    }

    private void openBracket(Deque<Integer> brackets) throws Failure {
        if (roundBrackets.size() + squareBrackets.size() == MAX_OPEN_BRACKETS) {
            throw new Failure.Incompatible("the prompt has more than " + MAX_OPEN_BRACKETS
                    + " open brackets; close them, or escape literal brackets as \\( and \\[");
        }
        brackets.push(parts.size());
    }

    private static double parseWeight(String token, String weight) throws Failure {
        try {
            return Double.parseDouble(weight);
        } catch (NumberFormatException e) {
            throw new Failure.Incompatible("the prompt has \"" + truncate(token)
                    + "\": expected a number as the weight, as in (word:1.2), found " + truncate(weight)
                    + "; escape literal brackets as \\( and \\)");
        }
    }

    private static String truncate(String text) {
        return text.length() <= MAX_QUOTED_LENGTH ? text : text.substring(0, MAX_QUOTED_LENGTH) + "…";
    }

    private void multiply(int from, double factor) {
        for (int i = from; i < parts.size(); i++)
            parts.set(i, new WeightedText(parts.get(i).text, parts.get(i).weight * factor));
    }

    /// Removes the white space around BREAK.
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

    /// A part of a parsed prompt.
    public sealed interface Segment {
        /// Text of one attention weight; 1 is neutral.
        record Text(String text, double weight) implements Segment {}

        /// The end of a chunk before it is full.
        record Break() implements Segment {}
    }
}
