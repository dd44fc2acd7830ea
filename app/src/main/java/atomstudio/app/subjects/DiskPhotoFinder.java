package atomstudio.app.subjects;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PictureFolders;
import atomstudio.diffusion.picture.Pictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Pictures on disk: of a folder, its own files and those of the folders in it that count, as `PictureFolders` says, by their names.
public final class DiskPhotoFinder implements PhotoFinder {
    @Override public FoundFiles find(List<Path> paths) throws Failure {
        List<Path> files = new ArrayList<>();
        List<Path> ignored = new ArrayList<>();
        List<PictureFolders.Part> parts = new ArrayList<>();
        List<PictureFolders.LeftOut> leftOut = new ArrayList<>();
        for (Path path : paths) {
            if (!Files.isDirectory(path)) {
                files.add(path);
                continue;
            }
            PictureFolders folders = PictureFolders.of(path);
            parts.addAll(folders.parts());
            leftOut.addAll(folders.leftOut());
            for (PictureFolders.Part part : folders.parts()) for (Path file : listFiles(part.folder())) (Pictures.named(file) ? files : ignored).add(file);
        }
        return new FoundFiles(files, ignored, new PictureFolders(parts, leftOut));
    }

    private static List<Path> listFiles(Path folder) throws Failure {
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
