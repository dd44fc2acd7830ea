package atomstudio.app.subjects;

import atomstudio.diffusion.picture.Companion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What belongs to a picture by its name: NAME.txt says what it shows, NAME-mask.png, or a mask as other programs name it, where the
/// subject is. Never pictures themselves.
final class Companions {
    private static final String CAPTION = ".txt";

    private Companions() {}

    static boolean caption(Path file) {
        return name(file).toLowerCase(Locale.ROOT).endsWith(CAPTION);
    }

    static boolean mask(Path file) {
        return Companion.of(file).isPresent();
    }

    /// Whether a caption or mask belongs to one of these pictures.
    static boolean belongs(Path file, List<Path> pictures) {
        return pictures.stream().anyMatch(picture -> belongs(file, picture));
    }

    private static boolean belongs(Path file, Path picture) {
        if (caption(file)) return stem(picture).equals(stem(file));
        return Companion.of(file).filter(companion -> companion.of(name(picture))).isPresent();
    }

    /// Those that lie beside a picture.
    static List<Path> beside(Path picture) throws IOException {
        Path folder = picture.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> belongs(file, picture) && Files.isRegularFile(file)).sorted().toList();
        }
    }

    /// Where a companion of a picture goes when the picture is copied.
    static Path renamed(Path companion, Path picture, Path copy) {
        return copy.resolveSibling(stem(copy) + name(companion).substring(stem(picture).length()));
    }

    /// A file's name without its ending.
    private static String stem(Path file) {
        int dot = name(file).lastIndexOf('.');
        return dot > 0 ? name(file).substring(0, dot) : name(file);
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }
}
