package atomstudio.app.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HomeTest {
    @TempDir
    private Path folder;

    @Test
    void isInTheUserHomeUnlessTheVariableIsSet() {
        assertEquals(folder.resolve(".atomstudio"), Home.of(Map.of(), folder).folder());
        assertEquals(folder.resolve(".atomstudio"), Home.of(Map.of(Home.ENVIRONMENT_VARIABLE, " "), folder).folder());
        assertEquals(folder.resolve("other"),
                Home.of(Map.of(Home.ENVIRONMENT_VARIABLE, folder.resolve("other").toString()), folder).folder());
    }

    @Test
    void relativePathsBecomeAbsolute() {
        assertTrue(Home.of(Map.of(Home.ENVIRONMENT_VARIABLE, "here"), folder).runs().isAbsolute());
    }

    @Test
    void accessorsCreateNothing() {
        Home home = Home.of(Map.of(), folder);
        assertEquals(home.folder().resolve("runs"), home.runs());
        assertFalse(Files.exists(home.folder()));
    }
}
