package atomstudio.diffusion.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Most expected prompts are from the documentation of AUTOMATIC1111's parser.
class PromptScheduleTest {
    private static final Pass TEN = new Pass(10, 0);

    /// A prompt up to and including a step.
    private record Until(int step, String text) {}

    private static Until until(int step, String text) {
        return new Until(step, text);
    }

    private static void assertPrompts(String prompt, Pass pass, Until... expected) {
        List<String> texts = new ArrayList<>();
        for (Until part : expected) while (texts.size() < part.step) texts.add(part.text);
        PromptSchedule schedule = PromptSchedule.parse(prompt);
        assertEquals(texts, IntStream.rangeClosed(1, pass.steps()).mapToObj(step -> schedule.at(step, pass)).toList(),
                prompt);
    }

    @Test
    void promptWithoutEditsIsConstant() {
        for (String prompt : List.of("test", "", "a (b:1.2) [c], (d: e)", "a [unbalanced", "b] :3] ((",
                "\\[a:b:3\\] \\", "[a:b:c:3]", "[a:b:c]", "[a:b|c:3] [d:2]", "a\n[b\nc]")) {
            assertPrompts(prompt, TEN, until(10, prompt));
            assertTrue(PromptSchedule.parse(prompt).isConstant(), prompt);
        }
        assertFalse(PromptSchedule.parse("a [b:3]").isConstant());
    }

    @Test
    void editsSwitchAfterAStep() {
        assertPrompts("a [b:3]", TEN, until(3, "a "), until(10, "a b"));
        assertPrompts("a [b: 3 ]", TEN, until(3, "a "), until(10, "a b"));
        assertPrompts("a [b : c : 1] d", TEN, until(1, "a b  d"), until(10, "a  c  d"));
        assertPrompts("a [b::4]c", TEN, until(4, "a bc"), until(10, "a c"));
        assertPrompts("a [[[b]]:2]", TEN, until(2, "a "), until(10, "a [[b]]"));
        assertPrompts("[(a:2):3]", TEN, until(3, ""), until(10, "(a:2)"));
        assertPrompts("a[b:[c:d:2]:1]e", TEN, until(1, "abe"), until(2, "ace"), until(10, "ade"));
        assertPrompts("((a][:b:c [d:3]", TEN, until(3, "((a][:b:c "), until(10, "((a][:b:c d"));
        assertPrompts("[a:3:5]", TEN, until(5, "a"), until(10, "3"));
    }

    @Test
    void decimalPointMeansFractionOfSteps() {
        assertPrompts("a [b:.5] c", TEN, until(5, "a  c"), until(10, "a b c"));
        assertPrompts("[a:b:0.25]", TEN, until(2, "a"), until(10, "b"));
        assertPrompts("[a:b:1.0]", TEN, until(10, "a"));
        assertPrompts("[a:b:1]", TEN, until(1, "a"), until(10, "b"));
        assertPrompts("[a:b:-1][c:d:99]", TEN, until(10, "bc"));
    }

    @Test
    void alternationsChangeEveryStep() {
        assertPrompts("[a|(b:1.1)]", new Pass(4, 0), until(1, "a"), until(2, "(b:1.1)"), until(3, "a"),
                until(4, "(b:1.1)"));
        assertPrompts("[fe|]male", new Pass(3, 0), until(1, "female"), until(2, "male"), until(3, "female"));
        assertPrompts("[fe|||]male", new Pass(6, 0), until(1, "female"), until(4, "male"), until(5, "female"),
                until(6, "male"));
        assertPrompts("[a|[b:c:3]]", new Pass(6, 0), until(1, "a"), until(2, "b"), until(3, "a"), until(4, "c"),
                until(5, "a"), until(6, "c"));
    }

    @Test
    void secondPassContinuesStepNumbers() {
        Pass second = new Pass(10, 10);
        assertPrompts("a [b:.5] c", second, until(10, "a b c"));
        assertPrompts("a [b:1.5] c", second, until(5, "a  c"), until(10, "a b c"));
        assertPrompts("[a:b:13]", second, until(3, "a"), until(10, "b"));
        assertPrompts("[a:b:1.5]", TEN, until(10, "a"));
    }

    @Test
    void atEndAppliesEveryEdit() {
        assertEquals("a blue car in snow",
                PromptSchedule.parse("a [red:blue:30] car [big ::.2]in [rain::0.9][snow:.95]").atEnd());
    }

    @Test
    void deeplyNestedBracketsAreText() {
        String deep = "[".repeat(20_000);
        assertEquals(deep, PromptSchedule.parse(deep).at(1, TEN));
        String wide = "\\(word\\) [a|".repeat(20_000);
        assertEquals(wide, PromptSchedule.parse(wide).at(1, TEN), "of any length");
    }
}
