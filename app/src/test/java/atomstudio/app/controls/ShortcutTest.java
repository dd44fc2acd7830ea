package atomstudio.app.controls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import org.junit.jupiter.api.Test;

class ShortcutTest {
    @Test
    void keysAreUniqueWhereTheyWork() {
        Set<String> seen = new HashSet<>();
        for (Shortcut shortcut : Shortcut.values())
            assertTrue(seen.add(shortcut.group() + " " + shortcut.keys()), shortcut + ": " + shortcut.keys());
    }

    @Test
    void everyShortcutHasAText() {
        assertTrue(Arrays.stream(Shortcut.values()).noneMatch(shortcut -> shortcut.title().isBlank()));
        assertEquals("Generate (Ctrl+Enter)", Shortcut.GENERATE.tip("Generate"));
        assertEquals("Ctrl+Shift+Z", Shortcut.REDO_STROKE.keys());
        assertEquals("Esc", Shortcut.CANCEL.keys());
    }

    @Test
    void matchesItsKeysOnly() {
        assertTrue(Shortcut.FULL_SCREEN.matches(key(KeyCode.F11, false)));
        assertTrue(Shortcut.GENERATE.matches(key(KeyCode.ENTER, true)));
        assertEquals(false, Shortcut.GENERATE.matches(key(KeyCode.ENTER, false)));
    }

    private static KeyEvent key(KeyCode code, boolean isControlDown) {
        return new KeyEvent(KeyEvent.KEY_PRESSED, "", "", code, false, isControlDown, false, false);
    }
}
