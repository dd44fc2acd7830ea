package atomstudio.diffusion.prompt;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Any text parses or is rejected with a clear message, in linear time.
class PromptFuzzTest {
    private static final List<String> UNITS = List.of("(", ")", "[", "]", ":", "|", "\\", ",", " ", "\n", "BREAK",
            "AND", "a", "red car", "1.2", ":1.5)", ":0.4]", ":10]", "1e9", "-", ".", "..",
            "<lora:x:1>", "<|endoftext|>", "é", "e\u0301", "\u0345\u0301", "😀", "\ud83d", "\u0000", "\u200b", "日本",
            "'s", "__", "[a|b]", "(x:0)", "[a:b:0.5]");
    private static final Pass PASS = new Pass(20, 0);
    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() throws Exception {
        tokenizer = Tokenizer.open(Shared.root().resolve("assets/default-model/tokenizer"));
    }

    /// Parses and encodes a prompt; returns whether it was accepted.
    private static boolean accepts(String prompt) throws Failure {
        PromptSchedule schedule = PromptSchedule.parse(prompt);
        schedule.isConstant();
        for (int step : new int[] {1, 7, 20}) {
            String text = schedule.at(step, PASS);
            assertTrue(text.length() <= prompt.length(), "no step is longer than the prompt");
            try {
                assertFalse(PromptAttentionParser.parse(text).isEmpty());
                for (Tokenizer.Chunk chunk : tokenizer.chunks(text))
                    assertEquals(tokenizer.maxLength(), chunk.ids().length);
            } catch (Failure.Incompatible rejected) {
                assertTrue(rejected.getMessage().contains("expected") || rejected.getMessage().contains("close them"),
                        rejected.getMessage());
                assertTrue(rejected.getMessage().length() < 400, rejected.getMessage());
                return false;
            }
        }
        return true;
    }

    @Test
    void randomPromptsAreAcceptedOrRejected() {
        Random random = new Random(18);
        int accepted = 0;
        for (int i = 0; i < 2500; i++) {
            StringBuilder text = new StringBuilder();
            for (int k = random.nextInt(60); k >= 0; k--) {
                text.append(random.nextInt(12) == 0 ? Character.toString(random.nextInt(0x110000))
                        : UNITS.get(random.nextInt(UNITS.size())));
            }
            String prompt = text.toString();
            if (assertDoesNotThrow(() -> accepts(prompt), prompt)) accepted++;
        }
        assertTrue(accepted > 1500, "accepted: " + accepted);
    }

    static List<String> adversarialPrompts() {
        List<String> adversarialPrompts = new ArrayList<>();
        for (int length : new int[] {30_000, 2_000_000}) {
            for (String unit : List.of("(", "[", ")", "]", "([", "[(", "[a|", "[a:", "(a:", "[a:b:", "((a:1.1", "a",
                    "a ", "1", ":", "|", "\\", "\\(", " ", ", ", "[a]", "(a)", "[a|b]", "[a:b:0.5]", "[[a:b:", "BREAK ",
                    "é", "\u0301", "😀", "\ud83d",
                    "<|endoftext|>", "<|", "'s")) {
                adversarialPrompts.add(unit.repeat(length / unit.length()));
            }
            for (String[] brackets : new String[][] {{"(", ")"}, {"[", "]"}, {"(a", ")"}, {"[a", "]"}, {"[a|", "]"},
                    {"[a|[b:", ":3]]"}, {"[", ":0.5]"}, {"[a:", ":5]"}, {"(", ":1.1)"}, {"([", "])"}}) {
                int times = length / (brackets[0].length() + brackets[1].length());
                adversarialPrompts.add(brackets[0].repeat(times) + "x" + brackets[1].repeat(times));
            }
            adversarialPrompts.add("[a:" + "1".repeat(length));
            adversarialPrompts.add("[a:" + " ".repeat(length));
            adversarialPrompts
                    .add("[a:1." + "1".repeat(length) + "e" + "1".repeat(length / 10) + " ".repeat(length / 10));
            adversarialPrompts.add("(a:" + "1".repeat(length));
            adversarialPrompts.add("(a:" + "1.".repeat(length / 2) + ")");
            adversarialPrompts.add("(a:" + " ".repeat(length) + "1)");
            adversarialPrompts.add("[" + "a|".repeat(length / 2) + "]");
            adversarialPrompts.add(("[" + "[b]".repeat(1000)).repeat(length / 3001));
            adversarialPrompts.add("(a)(".repeat(100) + "a,(b)".repeat(length / 5));
        }
        return adversarialPrompts;
    }

    @Test
    void adversarialPromptsAreParsedInTime() {
        List<String> adversarialPrompts = adversarialPrompts();
        for (String prompt : adversarialPrompts) {
            String label = prompt.substring(0, 20) + "… (" + prompt.length() + ")";
            assertTimeoutPreemptively(Duration.ofSeconds(10), () -> accepts(prompt), label);
        }
    }

    @Test
    void rejectsLongAndDeeplyNestedPrompts() {
        assertTrue(assertThrows(Failure.Incompatible.class, () -> PromptAttentionParser.parse("a".repeat(100_001)))
                .getMessage()
                .contains("100001 characters; expected at most 100000"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> PromptAttentionParser.parse("(".repeat(501)))
                .getMessage()
                .contains("more than 500 open brackets"));
        assertDoesNotThrow(() -> PromptAttentionParser.parse("a, ".repeat(33_000)));
        assertDoesNotThrow(() -> PromptAttentionParser.parse("([".repeat(250)));
    }
}
