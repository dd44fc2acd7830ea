package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What people write into prompts to stress words: `(word)` × 1.1, `[word]` ÷ 1.1, `(word:1.3)` × 1.3, one within another multiplied,
/// `\(` and its like for the signs themselves, BREAK for the end of a chunk. Brackets that nobody closes reach to the end; closing ones
/// that nobody opened are text. As in its source, BREAK within brackets is a word.
/// Source: AUTOMATIC1111's stable-diffusion-webui 1.6 and later, how it reads attention in prompts.
public final class PromptLanguage {
    private static final double STRESS = 1.1;
    private static final double RELIEF = 1 / STRESS;
    /// Longer prompts, which nobody writes, are refused: their time and memory grow with every chunk.
    static final int LONGEST = 100_000;
    /// Open brackets at a time; 1.1 to this power is still a number in float32.
    private static final int DEEPEST = 500;
    private static final int LONGEST_QUOTE = 40;
    private static final String BREAK = "BREAK";
    private static final double BREAKS = -1;
    private static final Pattern SIGN = Pattern.compile("\\\\[()\\[\\]\\\\]?|[(\\[]|:\\s*([+-]?[.\\d]+)\\s*\\)|[)\\]]|[^\\\\()\\[\\]:]+|:", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern WHOLE_BREAK = Pattern.compile("\\bBREAK\\b", Pattern.UNICODE_CHARACTER_CLASS);

    private final List<Weighted> parts = new ArrayList<>();
    private final Deque<Integer> round = new ArrayDeque<>();
    private final Deque<Integer> square = new ArrayDeque<>();

    /// A part that brackets around it still multiply; BREAK is the text of that name at −1.
    private record Weighted(String text, double weight) {}

    private PromptLanguage() {}

    /// At least one segment; neighbours have different weights.
    /// @throws Failure.Incompatible for a weight that is no number, as in `(word:1.2.3)`, a prompt of too many letters, or too many open brackets
    public static List<Segment> parse(String prompt) throws Failure {
        if (prompt.length() > LONGEST) throw new Failure.Incompatible("the prompt has " + prompt.length() + " letters; expected at most " + LONGEST);
        PromptLanguage language = new PromptLanguage();
        Matcher sign = SIGN.matcher(prompt);
        while (sign.find()) language.read(sign.group(), sign.group(1) == null ? "" : sign.group(1));
        while (!language.round.isEmpty()) language.multiply(language.round.removeLast(), STRESS);
        while (!language.square.isEmpty()) language.multiply(language.square.removeLast(), RELIEF);
        return language.segments();
    }

    private void read(String sign, String weight) throws Failure {
        if (sign.startsWith("\\")) parts.add(new Weighted(sign.substring(1), 1));
        else if (sign.equals("(")) open(round);
        else if (sign.equals("[")) open(square);
        else if (!weight.isEmpty() && !round.isEmpty()) multiply(round.pop(), number(sign, weight));
        else if (sign.equals(")") && !round.isEmpty()) multiply(round.pop(), STRESS);
        else if (sign.equals("]") && !square.isEmpty()) multiply(square.pop(), RELIEF);
        else text(sign);
    }

    private void open(Deque<Integer> brackets) throws Failure {
        if (round.size() + square.size() == DEEPEST) {
            throw new Failure.Incompatible("the prompt has more than " + DEEPEST + " brackets that are open at a time; close them, or write \\( and \\[ to mean the signs themselves");
        }
        brackets.push(parts.size());
    }

    private static double number(String sign, String weight) throws Failure {
        try {
            return Double.parseDouble(weight);
        } catch (NumberFormatException e) {
            throw new Failure.Incompatible("the prompt has \"" + cut(sign) + "\": expected a number for a weight, as in (word:1.2), found " + cut(weight) + "; to mean the signs themselves write \\( and \\)");
        }
    }

    private static String cut(String text) {
        return text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "…";
    }

    private void multiply(int from, double by) {
        for (int i = from; i < parts.size(); i++) parts.set(i, new Weighted(parts.get(i).text, parts.get(i).weight * by));
    }

    /// White space around BREAK goes with it.
    private void text(String text) {
        Matcher found = WHOLE_BREAK.matcher(text);
        int at = 0;
        while (found.find()) {
            String before = text.substring(at, found.start()).stripTrailing();
            parts.add(new Weighted(at == 0 ? before : before.stripLeading(), 1));
            parts.add(new Weighted(BREAK, BREAKS));
            at = found.end();
        }
        parts.add(new Weighted(at == 0 ? text : text.substring(at).stripLeading(), 1));
    }

    private List<Segment> segments() {
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < parts.size(); ) {
            double weight = parts.get(i).weight;
            StringBuilder text = new StringBuilder();
            for (; i < parts.size() && parts.get(i).weight == weight; i++) text.append(parts.get(i).text);
            segments.add(weight == BREAKS && text.toString().equals(BREAK) ? new Segment.Break() : new Segment.Words(text.toString(), weight));
        }
        return segments.isEmpty() ? List.of(new Segment.Words("", 1)) : List.copyOf(segments);
    }
}
