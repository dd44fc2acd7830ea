package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.generate.PromptSyntax.Edit;
import atomstudio.app.generate.PromptSyntax.Part;
import atomstudio.app.generate.PromptSyntax.PartKind;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PromptSyntaxTest {
    /// A text whose selection is marked by two bars, or whose caret by one.
    private static Edit marked(String text) {
        int start = text.indexOf('|'), end = text.lastIndexOf('|');
        return new Edit(text.replace("|", ""), start, end == start ? start : end - 1);
    }

    private static String change(String text, int direction) {
        Edit changed = PromptSyntax.changeWeight(marked(text), direction);
        String all = changed.text();
        return changed.start() == changed.end()
                ? all.substring(0, changed.start()) + "|" + all.substring(changed.start())
                : all.substring(0, changed.start()) + "|" + all.substring(changed.start(), changed.end()) + "|"
                        + all.substring(changed.end());
    }

    @Test
    void ctrlUpWeightsTheWordUnderTheCaret() {
        assertEquals("a (|red|:1.1) car", change("a r|ed car", 1));
        assertEquals("a (|red|:0.9) car", change("a r|ed car", -1));
        assertEquals("a (|red|:1.2) car", change("a (|red|:1.1) car", 1));
    }

    @Test
    void ctrlUpWeightsTheSelection() {
        assertEquals("(|sks car|:1.1), snow", change("|sks car| , snow".replace(" ,", ","), 1));
        assertEquals("(|sks car|:1.1) snow", change("|sks car |snow", 1).replace(":1.1)snow", ":1.1) snow"));
    }

    @Test
    void caretInsideBracketsChangesTheirWeight() {
        assertEquals("a (|red car|:1.3) x", change("a (red c|ar:1.2) x", 1));
        assertEquals("a (|red car|:1.2) x", change("a (red c|ar) x", 1));
        assertEquals("((|in|:1.2) out:1.3)", change("((i|n:1.1) out:1.3)", 1));
    }

    @Test
    void bracketsOfWeightOneAreRemoved() {
        assertEquals("a |red car| x", change("a (red| car:1.1) x", -1));
        assertEquals("a |red| car", change("a (|red|:0.9) car", 1));
    }

    @Test
    void tagOfAnAdapterChangesItsWeight() {
        assertEquals("a car <|lora:ink|:0.9>", change("a car <lora:i|nk:0.8>", 1));
        assertEquals("a car <|lora:ink|:1.0>", change("a car <lora:i|nk:0.9>", 1));
    }

    @Test
    void nothingUnderTheCaretChangesNothing() {
        assertEquals("a , |, car", change("a , |, car", 1));
        assertEquals("|", change("|", 1));
    }

    @Test
    void partsAreWeightsTagsAndTriggers() {
        assertEquals(List.of(new Part(PartKind.TEXT, "a "), new Part(PartKind.TRIGGER, "sks car"),
                new Part(PartKind.TEXT, " on "), new Part(PartKind.EMPHASIS, "(sand:1.2)"),
                new Part(PartKind.TEXT, ", "), new Part(PartKind.ADAPTER_TAG, "<lora:ink:0.5>")),
                PromptSyntax.parts("a sks car on (sand:1.2), <lora:ink:0.5>", List.of("sks car", "sks")));
        assertEquals(List.of(new Part(PartKind.TEXT, "tasks \\(escaped\\)")),
                PromptSyntax.parts("tasks \\(escaped\\)", List.of("sks")));
        assertEquals(List.of(), PromptSyntax.parts("", List.of("sks")));
    }

    @Test
    void triggersComplete() {
        List<String> triggers = List.of("sks car", "zwx");
        assertEquals(Optional.of("sks car"), PromptSyntax.completion("a sk", 4, triggers));
        assertEquals(Optional.empty(), PromptSyntax.completion("a ", 2, triggers));
        assertEquals(Optional.empty(), PromptSyntax.completion("a zwx", 5, triggers), "already complete");
        assertEquals(Optional.empty(), PromptSyntax.completion("a skating", 4, triggers), "inside a word");
        assertEquals(new Edit("a sks car in", 9, 9), PromptSyntax.complete("a sk in", 4, "sks car"));
    }
}
