package atomstudio.diffusion.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The expected prompts are those that AUTOMATIC1111's web UI documents for its parser, and some by hand.
class PromptScheduleTest {
    private static final Pass TEN = new Pass(10, 0);

    /// A prompt up to a step, that one included.
    private record Until(int step, String text) {}

    private static Until until(int step, String text) {
        return new Until(step, text);
    }

    private static void changes(String prompt, Pass pass, Until... expected) {
        List<String> texts = new ArrayList<>();
        for (Until part : expected) while (texts.size() < part.step) texts.add(part.text);
        PromptSchedule schedule = PromptSchedule.parse(prompt);
        assertEquals(texts, IntStream.rangeClosed(1, pass.steps()).mapToObj(step -> schedule.at(step, pass)).toList(),
                prompt);
    }

    @Test
    void aPromptWithoutSuchBracketsStaysAsItIs() {
        for (String prompt : List.of("test", "", "a (b:1.2) [c], (d: e)", "a [unbalanced", "b] :3] ((",
                "\\[a:b:3\\] \\", "[a:b:c:3]", "[a:b:c]", "[a:b|c:3] [d:2]", "a\n[b\nc]")) {
            changes(prompt, TEN, until(10, prompt));
            assertTrue(PromptSchedule.parse(prompt).isConstant(), prompt);
        }
        assertFalse(PromptSchedule.parse("a [b:3]").isConstant());
    }

    @Test
    void wordsComeAndGoAfterAStep() {
        changes("a [b:3]", TEN, until(3, "a "), until(10, "a b"));
        changes("a [b: 3 ]", TEN, until(3, "a "), until(10, "a b"));
        changes("a [b : c : 1] d", TEN, until(1, "a b  d"), until(10, "a  c  d"));
        changes("a [b::4]c", TEN, until(4, "a bc"), until(10, "a c"));
        changes("a [[[b]]:2]", TEN, until(2, "a "), until(10, "a [[b]]"));
        changes("[(a:2):3]", TEN, until(3, ""), until(10, "(a:2)"));
        changes("a[b:[c:d:2]:1]e", TEN, until(1, "abe"), until(2, "ace"), until(10, "ade"));
        changes("((a][:b:c [d:3]", TEN, until(3, "((a][:b:c "), until(10, "((a][:b:c d"));
        changes("[a:3:5]", TEN, until(5, "a"), until(10, "3"));
    }

    @Test
    void aNumberWithAPointIsAShare() {
        changes("a [b:.5] c", TEN, until(5, "a  c"), until(10, "a b c"));
        changes("[a:b:0.25]", TEN, until(2, "a"), until(10, "b"));
        changes("[a:b:1.0]", TEN, until(10, "a"));
        changes("[a:b:1]", TEN, until(1, "a"), until(10, "b"));
        changes("[a:b:-1][c:d:99]", TEN, until(10, "bc"));
    }

    @Test
    void wordsAlternateWithEveryStep() {
        changes("[a|(b:1.1)]", new Pass(4, 0), until(1, "a"), until(2, "(b:1.1)"), until(3, "a"), until(4, "(b:1.1)"));
        changes("[fe|]male", new Pass(3, 0), until(1, "female"), until(2, "male"), until(3, "female"));
        changes("[fe|||]male", new Pass(6, 0), until(1, "female"), until(4, "male"), until(5, "female"),
                until(6, "male"));
        changes("[a|[b:c:3]]", new Pass(6, 0), until(1, "a"), until(2, "b"), until(3, "a"), until(4, "c"),
                until(5, "a"), until(6, "c"));
    }

    @Test
    void aSecondPassGoesOnCounting() {
        Pass second = new Pass(10, 10);
        changes("a [b:.5] c", second, until(10, "a b c"));
        changes("a [b:1.5] c", second, until(5, "a  c"), until(10, "a b c"));
        changes("[a:b:13]", second, until(3, "a"), until(10, "b"));
        changes("[a:b:1.5]", TEN, until(10, "a"));
    }

    @Test
    void itEndsAfterEveryEdit() {
        assertEquals("a blue car in snow",
                PromptSchedule.parse("a [red:blue:30] car [big ::.2]in [rain::0.9][snow:.95]").atEnd());
    }

    @Test
    void bracketsWithinBracketsWithoutEndAreText() {
        String deep = "[".repeat(20_000);
        assertEquals(deep, PromptSchedule.parse(deep).at(1, TEN));
        String wide = "\\(word\\) [a|".repeat(20_000);
        assertEquals(wide, PromptSchedule.parse(wide).at(1, TEN), "of any length");
    }
}
