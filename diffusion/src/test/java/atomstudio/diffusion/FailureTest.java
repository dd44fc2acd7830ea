package atomstudio.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class FailureTest {
    @Test
    void appendsPermissionDeniedOnce() {
        AccessDeniedException denied = new AccessDeniedException("/photos/a.png");
        assertEquals("a.png: cannot be read: /photos/a.png: permission denied on this file or folder.",
                new Failure.Unreadable("a.png: cannot be read: /photos/a.png", denied).getMessage());
        assertEquals("/runs: cannot be kept here: permission denied on this file or folder.",
                new Failure.Unwritable("/runs: cannot be kept here.", denied).getMessage());
        assertEquals("a: permission denied on this file or folder.",
                new Failure.Unreadable("a", new UncheckedIOException(denied)).getMessage());
        assertEquals("a: Permission denied", new Failure.Unreadable("a: Permission denied", denied).getMessage(),
                "only once");
    }

    @Test
    void leavesMessagesOfOtherCausesUnchanged() {
        for (IOException other : new IOException[] {new NoSuchFileException("a"), new IOException("disk full")})
            assertEquals("a", new Failure.Unwritable("a", other).getMessage());
    }
}
