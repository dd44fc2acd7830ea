package atomstudio.app.subjects;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/// Pictures on disk. A folder's own files count, by their extensions; folders in it are not entered.
public final class DroppedPictures implements PictureFiles {
    private static final Set<String> EXTENSIONS = Set.of("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "hif", "avif");

    @Override public Found find(List<Path> dropped) throws Failure {
        List<Path> files = new ArrayList<>();
        List<Path> passedOver = new ArrayList<>();
        for (Path path : dropped) {
            if (!Files.isDirectory(path)) {
                files.add(path);
                continue;
            }
            for (Path file : inside(path)) (claims(file) ? files : passedOver).add(file);
        }
        return new Found(files, passedOver);
    }

    private static List<Path> inside(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile).filter(file -> !file.getFileName().toString().startsWith("."))
                .sorted(Comparator.comparing(file -> file.getFileName().toString())).toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": the folder could not be listed (" + e.getMessage() + ").", e);
        }
    }

    private static boolean claims(Path file) {
        String name = file.getFileName().toString();
        return EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
    }

    @Override public Picture read(Path file) throws Failure {
        return Pictures.read(file);
    }
}
