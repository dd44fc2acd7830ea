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
import java.util.stream.Stream;

/// Pictures on disk. A folder's own files count, by their names; folders in it are not entered.
public final class DroppedPictures implements PictureFiles {
    @Override public Found find(List<Path> dropped) throws Failure {
        List<Path> files = new ArrayList<>();
        List<Path> passedOver = new ArrayList<>();
        for (Path path : dropped) {
            if (!Files.isDirectory(path)) {
                files.add(path);
                continue;
            }
            for (Path file : inside(path)) (Pictures.named(file) ? files : passedOver).add(file);
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

    @Override public Picture read(Path file) throws Failure {
        return Pictures.read(file);
    }
}
