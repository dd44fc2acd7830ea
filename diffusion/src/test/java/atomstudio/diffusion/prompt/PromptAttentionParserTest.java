package atomstudio.diffusion.prompt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.prompt.PromptAttentionParser.Segment.Break;
import atomstudio.diffusion.prompt.PromptAttentionParser.Segment.Text;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PromptAttentionParserTest {
    private static final double EMPHASIS = 1.1;
    private static final double DEEMPHASIS = 1 / 1.1;

    private static void assertParses(String prompt, PromptAttentionParser.Segment... expected) throws Failure {
        assertEquals(List.of(expected), PromptAttentionParser.parse(prompt), prompt);
    }

    private static Tokenizer plain() throws Failure {
        return Tokenizer.open(Shared.own("goldens/tokenizer/plain"));
    }

    private static int[] firstIds(Tokenizer.Chunk chunk, int count) {
        return IntStream.range(1, count + 1).map(i -> chunk.ids()[i]).toArray();
    }

    @Test
    void plainTextIsOneSegment() throws Exception {
        assertParses("a red car, in: the\n snow", new Text("a red car, in: the\n snow", 1));
        assertParses("", new Text("", 1));
    }

    @Test
    void bracketsMultiplyWeights() throws Exception {
        assertParses("a (red) [car]", new Text("a ", 1), new Text("red", EMPHASIS), new Text(" ", 1),
                new Text("car", DEEMPHASIS));
        assertParses("(red:1.5)(car : -2 )", new Text("red", 1.5), new Text("car ", -2));
        assertParses("((a):2)[(b)]", new Text("a", EMPHASIS * 2), new Text("b", EMPHASIS * DEEMPHASIS));
        assertParses("(a [b (c:3)])", new Text("a ", EMPHASIS), new Text("b ", DEEMPHASIS * EMPHASIS),
                new Text("c", 3 * DEEMPHASIS * EMPHASIS));
        assertParses("[red:0.5]", new Text("red:0.5", DEEMPHASIS));
    }

    @Test
    void unmatchedBracketsExtendToTheEndOrAreText() throws Exception {
        assertParses("a (red [car", new Text("a ", 1), new Text("red ", EMPHASIS),
                new Text("car", EMPHASIS * DEEMPHASIS));
        assertParses("a) b] :1.2)", new Text("a) b] :1.2)", 1));
        assertParses("(a] b)", new Text("a] b", EMPHASIS));
        assertParses("()", new Text("", 1));
    }

    @Test
    void backslashEscapesBrackets() throws Exception {
        assertParses("\\(a\\) \\[b\\] \\\\ \\c \\", new Text("(a) [b] \\ c ", 1));
        assertParses("(a\\):1.2)", new Text("a)", 1.2));
    }

    @Test
    void breakEndsChunkAndIsWordInsideBrackets() throws Exception {
        assertParses("a  BREAK\n b", new Text("a", 1), new Break(), new Text("b", 1));
        assertParses("BREAK BREAK", new Text("", 1), new Break(), new Text("", 1), new Break(), new Text("", 1));
        assertParses("BREAKS break", new Text("BREAKS break", 1));
        assertParses("(a BREAK b)", new Text("a", EMPHASIS), new Text("BREAK", -EMPHASIS), new Text("b", EMPHASIS));
    }

    @Test
    void rejectsInvalidWeight() {
        for (String number : List.of("1.2.3", ".", "-.")) {
            String message = assertThrows(Failure.Incompatible.class,
                    () -> PromptAttentionParser.parse("a (word:" + number + ")")).getMessage();
            assertTrue(message.contains("\":" + number + ")\"") && message.contains("\\("), message);
        }
    }

    @Test
    void shortPromptEqualsPlainEncoding() throws Exception {
        for (String text : List.of("", "a dog", "a red car, in: the snow", "a dog ".repeat(7))) {
            List<Tokenizer.Chunk> chunks = plain().chunks(text);
            assertEquals(1, chunks.size(), text);
            assertArrayEquals(plain().encodePadded(text).ids(), chunks.getFirst().ids(), text);
            assertTrue(chunks.getFirst().isUnweighted());
        }
    }

    @Test
    void idsOfOneWordStayInOneChunk() throws Exception {
        Tokenizer tokenizer = plain().withWord("sks", List.of(700, 701, 702));
        int[] filler = plain().encode("a b c");
        assertEquals(5, filler.length, "one id per letter");
        List<Tokenizer.Chunk> chunks = tokenizer.chunks("a ".repeat(12) + "(SKS:2)");
        assertEquals(2, chunks.size());
        assertArrayEquals(new int[] {700, 701, 702}, firstIds(chunks.get(1), 3));
        assertArrayEquals(new float[] {1, 2, 2, 2, 1}, Arrays.copyOf(chunks.get(1).weights(), 5));
        Tokenizer wide = plain().withWord("sks", IntStream.range(700, 715).boxed().toList());
        assertTrue(assertThrows(Failure.Incompatible.class, () -> wide.chunks("sks")).getMessage()
                .contains("15 token ids"));
    }

    @Test
    void embeddingNamesAreMatchedByTheirIds() throws Exception {
        Tokenizer tokenizer = plain().withPhrase("By Bad -neg", List.of(700, 701)).withPhrase("by", List.of(702));
        assertArrayEquals(new int[] {700, 701, 702}, firstIds(tokenizer.chunks("by  bad - NEG by").getFirst(), 3));
        assertEquals(702, firstIds(tokenizer.chunks("by bad! -neg").getFirst(), 1)[0],
                "an additional character prevents the match");
    }
}
