package atomstudio.diffusion;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// Where tests find the project's own files, and the reference material beside it that not every checkout has.
public final class Shared {
    private Shared() {}

    /// The checkout's root.
    public static Path root() {
        return Path.of(System.getProperty("atomstudio.root", "..")).toAbsolutePath().normalize();
    }

    /// A file of the project's own test resources; other modules' tests use them too.
    public static Path own(String path) {
        return root().resolve("diffusion/src/test/resources").resolve(path);
    }

    /// A file of `../shared`; the test is skipped, saying so, where it does not exist.
    public static Path file(String path) {
        Path file = root().resolveSibling("shared").resolve(path);
        assumeTrue(Files.exists(file), "skipped: ../shared/" + path + " is not here");
        return file;
    }
}
