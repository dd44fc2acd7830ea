package atomstudio.app.dataset;

import static atomstudio.app.text.Texts.text;

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

/// Finds and reads photo files.
public interface PhotoFinder {
    /// @param files candidates, sorted by name within a folder
    /// @param ignored files without an image extension
    /// @param folders the folders that were read, and those that were skipped
    record FoundFiles(List<Path> files, List<Path> ignored, PhotoFolders folders) {}

    /// Lists the candidates in files and folders. Explicitly given files are candidates regardless of their extension.
    FoundFiles find(List<Path> paths) throws Failure;

    /// @throws Failure.Unreadable if it is not an image or cannot be decoded
    RgbImage read(Path file) throws Failure;

    /// Photos on disk. Subfolders are read as determined by [PhotoFolders].
    static final class DiskPhotoFinder implements PhotoFinder {
        @Override
        public FoundFiles find(List<Path> paths) throws Failure {
            List<Path> files = new ArrayList<>();
            List<Path> ignored = new ArrayList<>();
            List<PhotoFolders.Entry> entries = new ArrayList<>();
            List<PhotoFolders.Skipped> skipped = new ArrayList<>();
            for (Path path : paths) {
                if (!Files.isDirectory(path)) {
                    files.add(path);
                    continue;
                }
                PhotoFolders folders = PhotoFolders.of(path);
                entries.addAll(folders.entries());
                skipped.addAll(folders.skipped());
                for (PhotoFolders.Entry entry : folders.entries())
                    for (Path file : listFiles(entry.folder()))
                        (ImageFiles.hasImageExtension(file) ? files : ignored).add(file);
            }
            return new FoundFiles(files, ignored, new PhotoFolders(entries, skipped));
        }

        private static List<Path> listFiles(Path folder) throws Failure {
            try (Stream<Path> content = Files.list(folder)) {
                return content.filter(Files::isRegularFile)
                        .filter(file -> !file.getFileName().toString().startsWith("."))
                        .sorted(Comparator.comparing(file -> file.getFileName().toString()))
                        .toList();
            } catch (IOException e) {
                throw new Failure.Unreadable(text("dataset.the-folder-could-not-be-listed", folder, e.getMessage()), e);
            }
        }

        @Override
        public RgbImage read(Path file) throws Failure {
            return ImageFiles.read(file);
        }
    }
}
