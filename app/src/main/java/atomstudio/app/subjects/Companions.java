package atomstudio.app.subjects;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What belongs to a picture by its name: NAME.txt says what it shows, NAME-mask.png where the subject is. Never pictures themselves.
final class Companions {
    private static final String CAPTION = ".txt";
    private static final String MASK = "-mask.png";

    private Companions() {}

    static boolean caption(Path file) {
        return name(file).toLowerCase(Locale.ROOT).endsWith(CAPTION);
    }

    static boolean mask(Path file) {
        return name(file).toLowerCase(Locale.ROOT).endsWith(MASK);
    }

    /// Whether a caption or mask belongs to one of these pictures.
    static boolean belongs(Path file, List<Path> pictures) {
        if (!caption(file) && !mask(file)) return false;
        String owner = name(file).substring(0, name(file).length() - (mask(file) ? MASK : CAPTION).length());
        return pictures.stream().anyMatch(picture -> stem(picture).equals(owner));
    }

    /// Those that lie beside a picture.
    static List<Path> beside(Path picture) {
        return Stream.of(CAPTION, MASK).map(ending -> picture.resolveSibling(stem(picture) + ending)).filter(Files::isRegularFile).toList();
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
