package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How a prompt changes on its way: `[from:to:when]`, `[to:when]` and `[from::when]` after a step, `[a|b|c]` with
/// every step, one within another. A `when` with a point is a share of the steps, one without a number of steps. What
/// is no such bracket is left to [PromptAttentionParser] as it stands.
/// Source: AUTOMATIC1111's stable-diffusion-webui, prompt editing and alternating words; as there, a `|` outside such
/// a bracket makes all of it plain.
public final class PromptSchedule {
    private static final Pattern WHEN = Pattern
            .compile("\\s*+([+-]?(?:\\d++\\.?\\d*+|\\.\\d++)(?:[eE][+-]?\\d++)?)\\s*+]");
    private static final String SPECIAL_CHARACTERS = "[]():|";
    /// Brackets within brackets that are followed; nobody writes so many.
    private static final int MAX_DEPTH = 64;

    private static final Pass LONG_PASS = new Pass(1 << 20, 0);

    private final List<Node> nodes;

    /// The steps of a pass, and of the pass before it: in a second pass numbers go on counting, and shares from 1 to
    /// 2 are its own.
    public record Pass(int steps, int previousSteps) {}

    private sealed interface Node {
        record Text(String text) implements Node {}

        record Edit(List<Node> before, List<Node> after, String when) implements Node {}

        record Alternation(List<List<Node>> options) implements Node {}
    }

    private PromptSchedule(List<Node> nodes) {
        this.nodes = nodes;
    }

    /// Any text is a prompt. One that [PromptAttentionParser] refuses for its length is left to it as it stands.
    public static PromptSchedule parse(String prompt) {
        if (prompt.length() > PromptAttentionParser.MAX_LENGTH)
            return new PromptSchedule(List.of(new Node.Text(prompt)));
        return new PromptSchedule(new Parser(prompt).parse());
    }

    /// Whether it is the same at every step.
    public boolean isConstant() { return nodes.stream().allMatch(node -> node instanceof Node.Text); }

    /// The prompt at a step of a pass, from 1.
    public String at(int step, Pass pass) {
        StringBuilder text = new StringBuilder();
        append(nodes, step, pass, text);
        return text.toString();
    }

    /// The prompt at the end of a long pass: after every edit, with one of what alternates.
    public String atEnd() {
        return at(LONG_PASS.steps, LONG_PASS);
    }

    private static void append(List<Node> nodes, int step, Pass pass, StringBuilder text) {
        for (Node node : nodes) {
            switch (node) {
                case Node.Text(String words) -> text.append(words);
                case Node.Edit(List<Node> before, List<Node> after, String when) ->
                        append(step <= lastStepBefore(when, pass) ? before : after, step, pass, text);
                case Node.Alternation(List<List<Node>> options) ->
                        append(options.get((step - 1) % options.size()), step, pass, text);
            }
        }
    }

    /// The last step before an edit.
    private static int lastStepBefore(String when, Pass pass) {
        double number = Double.parseDouble(when);
        boolean isSecondPass = pass.previousSteps > 0;
        double lastStep = when.contains(".") ? (isSecondPass ? number - 1 : number) * pass.steps
                : number - pass.previousSteps;
        return (int) lastStep;
    }

    /// Reads from left to right; what turns out to be no bracket of its kind is given back.
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
                nodes.add(consumeSign());
            }
        }

        private Node consumeSign() {
            return new Node.Text(prompt.substring(position, ++position));
        }

        private boolean isAt(char sign) {
            return position < prompt.length() && prompt.charAt(position) == sign;
        }

        /// Text and whole brackets, up to a sign that is neither.
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

        /// Where text without signs ends. A backslash makes what follows it text, but not the end of a line.
        private int plainTextEnd() {
            int end = position;
            while (end < prompt.length() && SPECIAL_CHARACTERS.indexOf(prompt.charAt(end)) < 0) {
                if (prompt.charAt(end) != '\\') end++;
                else if (end + 1 < prompt.length() && prompt.charAt(end + 1) != '\n') end += 2;
                else break;
            }
            return end;
        }

        /// Null, and nothing read, where it is no whole bracket.
        private @Nullable List<Node> parseBracket() {
            int start = position;
            depth++;
            List<Node> parsed = depth > MAX_DEPTH ? null : isAt('[') ? parseSquare() : parseRound();
            depth--;
            if (parsed == null) position = start;
            return parsed;
        }

        /// `(words)`, `(words:words)`.
        private @Nullable List<Node> parseRound() {
            List<Node> nodes = new ArrayList<>(List.of(consumeSign()));
            nodes.addAll(parseText());
            if (isAt(':')) {
                nodes.add(consumeSign());
                nodes.addAll(parseText());
            }
            if (!isAt(')')) return null;
            nodes.add(consumeSign());
            return nodes;
        }

        /// `[words]`, and the brackets that change.
        private @Nullable List<Node> parseSquare() {
            Node openingSign = consumeSign();
            List<Node> first = parseText();
            if (isAt('|')) return parseAlternation(first);
            if (isAt(':')) return parseEdit(first);
            if (!isAt(']')) return null;
            List<Node> nodes = new ArrayList<>(List.of(openingSign));
            nodes.addAll(first);
            nodes.add(consumeSign());
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

        /// A number and the end of the bracket.
        private @Nullable String parseWhen() {
            Matcher number = WHEN.matcher(prompt).region(position, prompt.length());
            if (!number.lookingAt()) return null;
            position = number.end();
            return number.group(1);
        }
    }
}
