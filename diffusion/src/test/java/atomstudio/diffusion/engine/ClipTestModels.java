package atomstudio.diffusion.engine;

import atomstudio.diffusion.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Models and goldens of CLIP's encoders, for the tests of every engine.
public final class ClipTestModels {
    public static final Path FOLDER = Shared.own("goldens/towers");
    public static final Path MODEL = FOLDER.resolve("model");
    public static final Path EMBEDDED = Shared.root().resolve("assets/default-model");

    private ClipTestModels() {}

    /// A copy of the small model in which only the safety checker has an image encoder.
    public static Path withSafetyChecker(Path to) throws IOException {
        copy(MODEL, to);
        delete(to.resolve("image_encoder"));
        copy(FOLDER.resolve("safety_checker"), to.resolve("safety_checker"));
        return to;
    }

    /// A copy of the small model without an image encoder.
    public static Path without(Path to) throws IOException {
        copy(MODEL, to);
        delete(to.resolve("image_encoder"));
        return to;
    }

    public static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(target);
                else Files.copy(file, target);
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
