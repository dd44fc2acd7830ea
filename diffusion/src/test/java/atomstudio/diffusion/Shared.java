package atomstudio.diffusion;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// Paths of test files: the project's own, and reference files of `../shared`, which not every checkout has.
public final class Shared {
    private Shared() {}

    /// The root of the checkout.
    public static Path root() {
        return Path.of(System.getProperty("atomstudio.root", "..")).toAbsolutePath().normalize();
    }

    /// A test resource of the diffusion module, which the tests of other modules use too.
    public static Path own(String path) {
        return root().resolve("diffusion/src/test/resources").resolve(path);
    }

    /// A file of `../shared`; the test is skipped with a message if it does not exist.
    public static Path file(String path) {
        Path file = root().resolveSibling("shared").resolve(path);
        assumeTrue(Files.exists(file), "skipped: ../shared/" + path + " does not exist");
        return file;
    }
}
