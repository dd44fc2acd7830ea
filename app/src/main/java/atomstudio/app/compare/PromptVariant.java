package atomstudio.app.compare;

import atomstudio.app.generate.SubjectPrompt;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// One of the prompts that a prompt with alternatives stands for.
/// @param label the chosen alternatives; empty for a prompt without alternatives
public record PromptVariant(SubjectPrompt prompt, String label) {
    /// More combinations are not listed.
    static final int MAX_VARIANTS = 64;

    /// A part of a prompt with its alternatives chosen.
    private record ChosenText(String text, List<String> choices) {}

    /// All combinations of the alternatives in `{red | blue} car {in the snow | on grass}`, the last ones varying
    /// fastest. Braces without `|` are text.
    public static List<PromptVariant> of(SubjectPrompt prompt) {
        List<PromptVariant> variants = new ArrayList<>();
        for (ChosenText before : choose(prompt.before()))
            for (ChosenText after : choose(prompt.after()))
                if (variants.size() < MAX_VARIANTS)
                    variants.add(new PromptVariant(new SubjectPrompt(before.text, prompt.mention(), after.text),
                            String.join(" · ",
                                    Stream.concat(before.choices.stream(), after.choices.stream()).toList())));
        return variants;
    }

    private static List<ChosenText> choose(String text) {
        List<ChosenText> result = List.of(new ChosenText("", List.of()));
        int position = 0;
        for (int open = text.indexOf('{'); open >= 0; open = text.indexOf('{', open + 1)) {
            int close = text.indexOf('}', open);
            if (close < 0) break;
            String[] alternatives = text.substring(open + 1, close).split("\\|", -1);
            if (alternatives.length == 1) continue;
            String literal = text.substring(position, open);
            List<ChosenText> longer = new ArrayList<>();
            for (ChosenText start : result)
                for (String alternative : alternatives)
                    if (longer.size() < MAX_VARIANTS) longer.add(append(start, literal, alternative.strip()));
            result = longer;
            position = close + 1;
            open = close;
        }
        String rest = text.substring(position);
        return result.stream().map(start -> new ChosenText(join(start.text, rest), start.choices)).toList();
    }

    private static ChosenText append(ChosenText start, String literal, String alternative) {
        return new ChosenText(join(start.text, literal) + alternative,
                Stream.concat(start.choices.stream(), Stream.of(alternative.isEmpty() ? "–" : alternative)).toList());
    }

    /// An empty alternative leaves one space, not two.
    private static String join(String text, String more) {
        return text.endsWith(" ") && more.startsWith(" ") ? text + more.stripLeading() : text + more;
    }
}
