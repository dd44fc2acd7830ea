package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How a prompt changes on its way: `[from:to:when]`, `[to:when]` and `[from::when]` after a step, `[a|b|c]` with every step, one within another. A
/// `when` with a point is a share of the steps, one without a number of steps. What is no such bracket is left to [PromptLanguage] as it stands.
/// Source: AUTOMATIC1111's stable-diffusion-webui, prompt editing and alternating words; as there, a `|` outside such a bracket makes all of it plain.
public final class PromptSchedule {
    private static final Pattern WHEN = Pattern.compile("\\s*+([+-]?(?:\\d++\\.?\\d*+|\\.\\d++)(?:[eE][+-]?\\d++)?)\\s*+]");
    private static final String SIGNS = "[]():|";
    /// Brackets within brackets that are followed; nobody writes so many.
    private static final int DEEPEST = 64;

    private static final Pass LONG = new Pass(1 << 20, 0);

    private final List<Part> parts;

    /// The steps of a pass, and of the pass before it: in a second pass numbers go on counting, and shares from 1 to 2 are its own.
    public record Pass(int steps, int before) {}

    private sealed interface Part {
        record Text(String text) implements Part {}

        record Edited(List<Part> before, List<Part> after, String when) implements Part {}

        record Alternating(List<List<Part>> choices) implements Part {}
    }

    private PromptSchedule(List<Part> parts) {
        this.parts = parts;
    }

    /// Any text is a prompt. One that [PromptLanguage] refuses for its length is left to it as it stands.
    public static PromptSchedule parse(String prompt) {
        if (prompt.length() > PromptLanguage.LONGEST) return new PromptSchedule(List.of(new Part.Text(prompt)));
        return new PromptSchedule(new Reading(prompt).all());
    }

    /// Whether it is the same at every step.
    public boolean constant() {
        return parts.stream().allMatch(part -> part instanceof Part.Text);
    }

    /// The prompt at a step of a pass, from 1.
    public String at(int step, Pass pass) {
        StringBuilder text = new StringBuilder();
        say(parts, step, pass, text);
        return text.toString();
    }

    /// The prompt at the end of a long pass: after every edit, with one of what alternates.
    public String end() {
        return at(LONG.steps, LONG);
    }

    private static void say(List<Part> parts, int step, Pass pass, StringBuilder text) {
        for (Part part : parts) {
            switch (part) {
                case Part.Text(String words) -> text.append(words);
                case Part.Edited(List<Part> before, List<Part> after, String when) -> say(step <= last(when, pass) ? before : after, step, pass, text);
                case Part.Alternating(List<List<Part>> choices) -> say(choices.get((step - 1) % choices.size()), step, pass, text);
            }
        }
    }

    /// The last step before an edit.
    private static int last(String when, Pass pass) {
        double number = Double.parseDouble(when);
        boolean second = pass.before > 0;
        double steps = when.contains(".") ? (second ? number - 1 : number) * pass.steps : number - pass.before;
        return (int) steps;
    }

    /// Reads from left to right; what turns out to be no bracket of its kind is given back.
    private static final class Reading {
        private final String prompt;
        private int at;
        private int depth;

        Reading(String prompt) {
            this.prompt = prompt;
        }

        List<Part> all() {
            List<Part> all = new ArrayList<>();
            while (true) {
                all.addAll(words());
                if (at == prompt.length()) return all;
                if ("[]():".indexOf(prompt.charAt(at)) < 0) return List.of(new Part.Text(prompt));
                all.add(sign());
            }
        }

        private Part sign() {
            return new Part.Text(prompt.substring(at, ++at));
        }

        private boolean next(char sign) {
            return at < prompt.length() && prompt.charAt(at) == sign;
        }

        /// Text and whole brackets, up to a sign that is neither.
        private List<Part> words() {
            List<Part> words = new ArrayList<>();
            while (true) {
                int end = plain();
                if (end > at) {
                    words.add(new Part.Text(prompt.substring(at, end)));
                    at = end;
                    continue;
                }
                List<Part> bracket = next('[') || next('(') ? bracket() : null;
                if (bracket == null) return words;
                words.addAll(bracket);
            }
        }

        /// Where text without signs ends. A backslash makes what follows it text, but not the end of a line.
        private int plain() {
            int end = at;
            while (end < prompt.length() && SIGNS.indexOf(prompt.charAt(end)) < 0) {
                if (prompt.charAt(end) != '\\') end++;
                else if (end + 1 < prompt.length() && prompt.charAt(end + 1) != '\n') end += 2;
                else break;
            }
            return end;
        }

        /// Null, and nothing read, where it is no whole bracket.
        private @Nullable List<Part> bracket() {
            int start = at;
            depth++;
            List<Part> read = depth > DEEPEST ? null : next('[') ? square() : round();
            depth--;
            if (read == null) at = start;
            return read;
        }

        /// `(words)`, `(words:words)`.
        private @Nullable List<Part> round() {
            List<Part> all = new ArrayList<>(List.of(sign()));
            all.addAll(words());
            if (next(':')) {
                all.add(sign());
                all.addAll(words());
            }
            if (!next(')')) return null;
            all.add(sign());
            return all;
        }

        /// `[words]`, and the brackets that change.
        private @Nullable List<Part> square() {
            Part opened = sign();
            List<Part> first = words();
            if (next('|')) return alternating(first);
            if (next(':')) return edited(first);
            if (!next(']')) return null;
            List<Part> all = new ArrayList<>(List.of(opened));
            all.addAll(first);
            all.add(sign());
            return all;
        }

        private @Nullable List<Part> alternating(List<Part> first) {
            List<List<Part>> choices = new ArrayList<>(List.of(first));
            while (next('|')) {
                at++;
                choices.add(words());
            }
            if (!next(']')) return null;
            at++;
            return List.of(new Part.Alternating(choices));
        }

        private @Nullable List<Part> edited(List<Part> first) {
            at++;
            String only = when();
            if (only != null) return List.of(new Part.Edited(List.of(), first, only));
            List<Part> second = words();
            if (!next(':')) return null;
            at++;
            String when = when();
            return when == null ? null : List.of(new Part.Edited(first, second, when));
        }

        /// A number and the end of the bracket.
        private @Nullable String when() {
            Matcher number = WHEN.matcher(prompt).region(at, prompt.length());
            if (!number.lookingAt()) return null;
            at = number.end();
            return number.group(1);
        }
    }
}
