package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Parses A1111's prompt editing, which changes the prompt during sampling: `[from:to:when]`, `[to:when]` and
/// `[from::when]` switch after a step, `[a|b|c]` alternates every step; they can be nested. `when` is a fraction of the
/// steps if it has a decimal point, else a step number. Other brackets are kept for [PromptAttentionParser].
/// Source: AUTOMATIC1111's stable-diffusion-webui, prompt editing and alternating words; as there, a `|` outside
/// brackets makes the whole prompt plain text.
public final class PromptSchedule {
    private static final Pattern WHEN = Pattern
            .compile("\\s*+([+-]?(?:\\d++\\.?\\d*+|\\.\\d++)(?:[eE][+-]?\\d++)?)\\s*+]");
    private static final String SPECIAL_CHARACTERS = "[]():|";
    /// Limit on nested brackets.
    private static final int MAX_DEPTH = 64;

    private static final Pass LONG_PASS = new Pass(1 << 20, 0);

    private final List<Node> nodes;

    /// The steps of a pass and of the pass before it. In a second pass (hires fix) step numbers continue, and fractions
    /// from 1 to 2 belong to it.
    public record Pass(int steps, int previousSteps) {}

    private sealed interface Node {
        record Text(String text) implements Node {}

        record Edit(List<Node> before, List<Node> after, String when) implements Node {}

        record Alternation(List<List<Node>> options) implements Node {}
    }

    private PromptSchedule(List<Node> nodes) {
        this.nodes = nodes;
    }

    /// Parses any text. A prompt that is too long for [PromptAttentionParser] is kept as plain text.
    public static PromptSchedule parse(String prompt) {
        if (prompt.length() > PromptAttentionParser.MAX_LENGTH)
            return new PromptSchedule(List.of(new Node.Text(prompt)));
        return new PromptSchedule(new Parser(prompt).parse());
    }

    /// Whether the prompt is the same at every step.
    public boolean isConstant() { return nodes.stream().allMatch(node -> node instanceof Node.Text); }

    /// The prompt at a step of a pass; the first step is 1.
    public String at(int step, Pass pass) {
        StringBuilder text = new StringBuilder();
        append(nodes, step, pass, text);
        return text.toString();
    }

    /// The prompt after every edit, with one option of each alternation.
    public String atEnd() {
        return at(LONG_PASS.steps, LONG_PASS);
    }

    private static void append(List<Node> nodes, int step, Pass pass, StringBuilder text) {
        for (Node node : nodes) {
            switch (node) {
                case Node.Text(String content) -> text.append(content);
                case Node.Edit(List<Node> before, List<Node> after, String when) ->
                        append(step <= lastStepBefore(when, pass) ? before : after, step, pass, text);
                case Node.Alternation(List<List<Node>> options) ->
                        append(options.get((step - 1) % options.size()), step, pass, text);
            }
        }
    }

    private static int lastStepBefore(String when, Pass pass) {
        double number = Double.parseDouble(when);
        boolean isSecondPass = pass.previousSteps > 0;
        double lastStep = when.contains(".") ? (isSecondPass ? number - 1 : number) * pass.steps
                : number - pass.previousSteps;
        return (int) lastStep;
    }

    /// A recursive descent parser that backtracks where a bracket is not of the expected kind.
    private static final class Parser {
        private final String prompt;
        private int position;
        private int depth;

        Parser(String prompt) {
            this.prompt = prompt;
        }

        List<Node> parse() {
            List<Node> nodes = new ArrayList<>();
            while (true) {
                nodes.addAll(parseText());
                if (position == prompt.length()) return nodes;
                if ("[]():".indexOf(prompt.charAt(position)) < 0) return List.of(new Node.Text(prompt));
                nodes.add(consumeCharacter());
            }
        }

        private Node consumeCharacter() {
            return new Node.Text(prompt.substring(position, ++position));
        }

        private boolean isAt(char character) {
            return position < prompt.length() && prompt.charAt(position) == character;
        }

        /// Text and complete brackets, up to a special character that is part of neither.
        private List<Node> parseText() {
            List<Node> nodes = new ArrayList<>();
            while (true) {
                int end = plainTextEnd();
                if (end > position) {
                    nodes.add(new Node.Text(prompt.substring(position, end)));
                    position = end;
                    continue;
                }
                List<Node> bracket = isAt('[') || isAt('(') ? parseBracket() : null;
                if (bracket == null) return nodes;
                nodes.addAll(bracket);
            }
        }

        /// End of the text without special characters. A backslash escapes any character but a line break.
        private int plainTextEnd() {
            int end = position;
            while (end < prompt.length() && SPECIAL_CHARACTERS.indexOf(prompt.charAt(end)) < 0) {
                if (prompt.charAt(end) != '\\') end++;
                else if (end + 1 < prompt.length() && prompt.charAt(end + 1) != '\n') end += 2;
                else break;
            }
            return end;
        }

        /// A complete bracket; null, at the old position, if there is none.
        private @Nullable List<Node> parseBracket() {
            int start = position;
            depth++;
            List<Node> parsed = depth > MAX_DEPTH ? null : isAt('[') ? parseSquare() : parseRound();
            depth--;
            if (parsed == null) position = start;
            return parsed;
        }

        /// `(text)` or `(text:text)`.
        private @Nullable List<Node> parseRound() {
            List<Node> nodes = new ArrayList<>(List.of(consumeCharacter()));
            nodes.addAll(parseText());
            if (isAt(':')) {
                nodes.add(consumeCharacter());
                nodes.addAll(parseText());
            }
            if (!isAt(')')) return null;
            nodes.add(consumeCharacter());
            return nodes;
        }

        /// `[text]`, an alternation or an edit.
        private @Nullable List<Node> parseSquare() {
            Node openingBracket = consumeCharacter();
            List<Node> first = parseText();
            if (isAt('|')) return parseAlternation(first);
            if (isAt(':')) return parseEdit(first);
            if (!isAt(']')) return null;
            List<Node> nodes = new ArrayList<>(List.of(openingBracket));
            nodes.addAll(first);
            nodes.add(consumeCharacter());
            return nodes;
        }

        private @Nullable List<Node> parseAlternation(List<Node> first) {
            List<List<Node>> options = new ArrayList<>(List.of(first));
            while (isAt('|')) {
                position++;
                options.add(parseText());
            }
            if (!isAt(']')) return null;
            position++;
            return List.of(new Node.Alternation(options));
        }

        private @Nullable List<Node> parseEdit(List<Node> first) {
            position++;
            String onlyWhen = parseWhen();
            if (onlyWhen != null) return List.of(new Node.Edit(List.of(), first, onlyWhen));
            List<Node> second = parseText();
            if (!isAt(':')) return null;
            position++;
            String when = parseWhen();
            return when == null ? null : List.of(new Node.Edit(first, second, when));
        }

        /// A number followed by the closing bracket.
        private @Nullable String parseWhen() {
            Matcher number = WHEN.matcher(prompt).region(position, prompt.length());
            if (!number.lookingAt()) return null;
            position = number.end();
            return number.group(1);
        }
    }
}
