package atomstudio.app.dataset;

import atomstudio.diffusion.image.CompanionImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Captions (`NAME.txt`) and masks (`NAME-mask.png` and names used by other programs) that belong to a photo by name.
final class SidecarFiles {
    private static final String CAPTION_EXTENSION = ".txt";

    private SidecarFiles() {}

    static boolean isCaption(Path file) {
        return name(file).toLowerCase(Locale.ROOT).endsWith(CAPTION_EXTENSION);
    }

    static boolean isMask(Path file) {
        return CompanionImage.of(file).isPresent();
    }

    /// Whether a caption or mask belongs to one of these photos.
    static boolean belongsTo(Path file, List<Path> photos) {
        return photos.stream().anyMatch(photo -> belongsTo(file, photo));
    }

    private static boolean belongsTo(Path file, Path photo) {
        if (isCaption(file)) return stem(photo).equals(stem(file));
        return CompanionImage.of(file).filter(companion -> companion.belongsTo(name(photo))).isPresent();
    }

    /// The caption and masks in the folder of a photo.
    static List<Path> of(Path photo) throws IOException {
        Path folder = photo.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> belongsTo(file, photo) && Files.isRegularFile(file)).sorted().toList();
        }
    }

    /// The path of a sidecar file when its photo is copied.
    static Path copyTarget(Path sidecar, Path photo, Path copy) {
        return copy.resolveSibling(stem(copy) + name(sidecar).substring(stem(photo).length()));
    }

    /// File name without extension.
    private static String stem(Path file) {
        int dot = name(file).lastIndexOf('.');
        return dot > 0 ? name(file).substring(0, dot) : name(file);
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }
}
