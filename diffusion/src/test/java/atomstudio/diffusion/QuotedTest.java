package atomstudio.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class QuotedTest {
    @Test void controlCodesAreWrittenAsEscapes() {
        assertEquals("a\\u001b[31mred\\u0007\\u009b\\u000a\\u0009\\u007f\\u202eb", Quoted.of("a\u001b[31mred\u0007\u009b\n\t\u007f\u202eb"));
        assertEquals("half a letter \\ud83d", Quoted.of("half a letter \ud83d"));
    }

    @Test void ordinaryTextStaysAsItIs() {
        String text = "naïve 日本語 🦊 \"quoted\" \\n";
        assertEquals(text, Quoted.of(text));
        assertEquals(text + "\n\tmore", Quoted.printable(text + "\n\tmore"), "line breaks of a message stay");
    }

    @Test void longValuesAreCutBetweenLetters() {
        String cut = Quoted.of("x".repeat(199) + "🦊".repeat(1000));
        assertEquals("x".repeat(199) + "… (2199 letters)", cut);
        assertEquals("y".repeat(200), Quoted.of("y".repeat(200)));
    }

    @Test void noFailureShowsAControlCode() {
        String message = new Failure.Unreadable("a\u001b[2J\u0000: expected\n  more").getMessage();
        assertEquals("a\\u001b[2J\\u0000: expected\n  more", message);
        assertTrue(message.lines().count() == 2);
    }
}
