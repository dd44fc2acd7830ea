package atomstudio.app.dataset;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.diffusion.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Finds and reads picture files.
public interface PhotoFinder {
    /// What dropped files and folders hold; `files` in the order of their names within a folder.
    /// @param ignored files that do not even claim to be pictures: hidden ones and other extensions
    /// @param folders    the dropped folders and those in them that the files lie in, and those that are not entered
    record FoundFiles(List<Path> files, List<Path> ignored, PhotoFolders folders) {}

    /// A single file counts whatever its extension is: whoever drops it means it.
    FoundFiles find(List<Path> paths) throws Failure;

    /// @throws Failure.Unreadable when it is no picture, or one of a kind that cannot be decoded
    RgbImage read(Path file) throws Failure;

    /// Pictures on disk: of a folder, its own files and those of the folders in it that count, as `PhotoFolders`
    /// says, by their names.
    static final class DiskPhotoFinder implements PhotoFinder {
        @Override
        public FoundFiles find(List<Path> paths) throws Failure {
            List<Path> files = new ArrayList<>();
            List<Path> ignored = new ArrayList<>();
            List<PhotoFolders.Entry> parts = new ArrayList<>();
            List<PhotoFolders.Skipped> leftOut = new ArrayList<>();
            for (Path path : paths) {
                if (!Files.isDirectory(path)) {
                    files.add(path);
                    continue;
                }
                PhotoFolders folders = PhotoFolders.of(path);
                parts.addAll(folders.entries());
                leftOut.addAll(folders.skipped());
                for (PhotoFolders.Entry part : folders.entries())
                    for (Path file : listFiles(part.folder()))
                        (ImageFiles.hasImageExtension(file) ? files : ignored).add(file);
            }
            return new FoundFiles(files, ignored, new PhotoFolders(parts, leftOut));
        }

        private static List<Path> listFiles(Path folder) throws Failure {
            try (Stream<Path> entries = Files.list(folder)) {
                return entries.filter(Files::isRegularFile)
                        .filter(file -> !file.getFileName().toString().startsWith("."))
                        .sorted(Comparator.comparing(file -> file.getFileName().toString()))
                        .toList();
            } catch (IOException e) {
                throw new Failure.Unreadable(folder + ": the folder could not be listed (" + e.getMessage() + ").", e);
            }
        }

        @Override
        public RgbImage read(Path file) throws Failure {
            return ImageFiles.read(file);
        }
    }
}
