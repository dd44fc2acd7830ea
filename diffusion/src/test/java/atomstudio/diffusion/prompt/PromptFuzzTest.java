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

/// Any text is a prompt or is refused by name, in a time that grows with its length.
class PromptFuzzTest {
    private static final List<String> PIECES = List.of("(", ")", "[", "]", ":", "|", "\\", ",", " ", "\n", "BREAK",
            "AND", "a", "red car", "1.2", ":1.5)", ":0.4]", ":10]", "1e9", "-", ".", "..",
            "<lora:x:1>", "<|endoftext|>", "é", "e\u0301", "\u0345\u0301", "😀", "\ud83d", "\u0000", "\u200b", "日本",
            "'s", "__", "[a|b]", "(x:0)", "[a:b:0.5]");
    private static final Pass PASS = new Pass(20, 0);
    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() throws Exception {
        tokenizer = Tokenizer.open(Shared.root().resolve("assets/default-model/tokenizer"));
    }

    /// Reads a prompt all the way to ids; whether it was not refused.
    private static boolean read(String prompt) throws Failure {
        PromptSchedule schedule = PromptSchedule.parse(prompt);
        schedule.isConstant();
        for (int step : new int[] {1, 7, 20}) {
            String text = schedule.at(step, PASS);
            assertTrue(text.length() <= prompt.length(), "no step says more than is written");
            try {
                assertFalse(PromptAttentionParser.parse(text).isEmpty());
                for (Tokenizer.Chunk chunk : tokenizer.chunks(text))
                    assertEquals(tokenizer.maxLength(), chunk.ids().length);
            } catch (Failure.Incompatible refused) {
                assertTrue(refused.getMessage().contains("expected") || refused.getMessage().contains("close them"),
                        refused.getMessage());
                assertTrue(refused.getMessage().length() < 400, refused.getMessage());
                return false;
            }
        }
        return true;
    }

    @Test
    void randomPromptsAreReadOrRefused() {
        Random random = new Random(18);
        int read = 0;
        for (int i = 0; i < 2500; i++) {
            StringBuilder text = new StringBuilder();
            for (int k = random.nextInt(60); k >= 0; k--) {
                text.append(random.nextInt(12) == 0 ? Character.toString(random.nextInt(0x110000))
                        : PIECES.get(random.nextInt(PIECES.size())));
            }
            String prompt = text.toString();
            if (assertDoesNotThrow(() -> read(prompt), prompt)) read++;
        }
        assertTrue(read > 1500, "most are prompts: " + read);
    }

    static List<String> hostile() {
        List<String> hostile = new ArrayList<>();
        for (int length : new int[] {30_000, 2_000_000}) {
            for (String piece : List.of("(", "[", ")", "]", "([", "[(", "[a|", "[a:", "(a:", "[a:b:", "((a:1.1", "a",
                    "a ", "1", ":", "|", "\\", "\\(", " ", ", ", "[a]", "(a)", "[a|b]", "[a:b:0.5]", "[[a:b:", "BREAK ",
                    "é", "\u0301", "😀", "\ud83d",
                    "<|endoftext|>", "<|", "'s")) {
                hostile.add(piece.repeat(length / piece.length()));
            }
            for (String[] nest : new String[][] {{"(", ")"}, {"[", "]"}, {"(a", ")"}, {"[a", "]"}, {"[a|", "]"},
                    {"[a|[b:", ":3]]"}, {"[", ":0.5]"}, {"[a:", ":5]"}, {"(", ":1.1)"}, {"([", "])"}}) {
                int times = length / (nest[0].length() + nest[1].length());
                hostile.add(nest[0].repeat(times) + "x" + nest[1].repeat(times));
            }
            hostile.add("[a:" + "1".repeat(length));
            hostile.add("[a:" + " ".repeat(length));
            hostile.add("[a:1." + "1".repeat(length) + "e" + "1".repeat(length / 10) + " ".repeat(length / 10));
            hostile.add("(a:" + "1".repeat(length));
            hostile.add("(a:" + "1.".repeat(length / 2) + ")");
            hostile.add("(a:" + " ".repeat(length) + "1)");
            hostile.add("[" + "a|".repeat(length / 2) + "]");
            hostile.add(("[" + "[b]".repeat(1000)).repeat(length / 3001));
            hostile.add("(a)(".repeat(100) + "a,(b)".repeat(length / 5));
        }
        return hostile;
    }

    @Test
    void hostilePromptsEndInTime() {
        List<String> hostile = hostile();
        for (String prompt : hostile) {
            String shown = prompt.substring(0, 20) + "… (" + prompt.length() + ")";
            assertTimeoutPreemptively(Duration.ofSeconds(10), () -> read(prompt), shown);
        }
    }

    @Test
    void longAndDeepPromptsAreRefusedByName() {
        assertTrue(assertThrows(Failure.Incompatible.class, () -> PromptAttentionParser.parse("a".repeat(100_001)))
                .getMessage()
                .contains("100001 letters; expected at most 100000"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> PromptAttentionParser.parse("(".repeat(501)))
                .getMessage()
                .contains("more than 500 brackets"));
        assertDoesNotThrow(() -> PromptAttentionParser.parse("a, ".repeat(33_000)));
        assertDoesNotThrow(() -> PromptAttentionParser.parse("([".repeat(250)));
    }
}
