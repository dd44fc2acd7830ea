package atomstudio.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SafeTextTest {
    @Test
    void escapesControlCodes() {
        assertEquals("a\\u001b[31mred\\u0007\\u009b\\u000a\\u0009\\u007f\\u202eb",
                SafeText.of("a\u001b[31mred\u0007\u009b\n\t\u007f\u202eb"));
        assertEquals("half a letter \\ud83d", SafeText.of("half a letter \ud83d"));
    }

    @Test
    void leavesPrintableTextUnchanged() {
        String text = "naïve 日本語 🦊 \"quoted\" \\n";
        assertEquals(text, SafeText.of(text));
        assertEquals(text + "\n\tmore", SafeText.escape(text + "\n\tmore"), "escape keeps line breaks");
    }

    @Test
    void truncatesLongValuesBetweenCodePoints() {
        String cut = SafeText.of("x".repeat(199) + "🦊".repeat(1000));
        assertEquals("x".repeat(199) + "… (2199 characters)", cut);
        assertEquals("y".repeat(200), SafeText.of("y".repeat(200)));
    }

    @Test
    void failureMessagesEscapeControlCodes() {
        String message = new Failure.Unreadable("a\u001b[2J\u0000: expected\n  more").getMessage();
        assertEquals("a\\u001b[2J\\u0000: expected\n  more", message);
        assertTrue(message.lines().count() == 2);
    }
}
