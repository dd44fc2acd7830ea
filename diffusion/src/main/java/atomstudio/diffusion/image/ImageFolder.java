package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The image files of a folder, sorted by name.
/// @param skipped number of other files
public record ImageFolder(Path folder, List<Path> images, int skipped) {
    public ImageFolder {
        images = List.copyOf(images);
    }

    /// Lists a folder, or wraps a single image file. Subfolders are not entered. Files are selected by extension and
    /// not opened; hidden files count as skipped.
    /// @throws Failure.Unreadable when the path does not exist, has no image, or has a HEIC image
    public static ImageFolder list(Path folder) throws Failure {
        if (Files.isRegularFile(folder)) return ofFile(folder);
        if (!Files.isDirectory(folder))
            throw new Failure.Unreadable(
                    folder + ": expected a folder of images, found nothing there. Check the path.");
        List<Path> images = new ArrayList<>();
        int skipped = 0;
        for (Path file : entries(folder, Files::isRegularFile)) {
            Optional<ImageFormat> format = file.getFileName().toString().startsWith(".") ? Optional.empty()
                    : ImageFormat.ofFileName(file);
            if (format.isEmpty()) skipped++;
            else if (format.get() == ImageFormat.HEIF) throw ImageFiles.heifUnsupported(file);
            else images.add(file);
        }
        if (images.isEmpty()) {
            throw new Failure.Unreadable(
                    folder + ": expected at least one image (jpg, png, webp, gif, bmp, tif), found "
                            + describeContents(folder, skipped) + ". Put some images there.");
        }
        return new ImageFolder(folder, images, skipped);
    }

    private static ImageFolder ofFile(Path file) throws Failure {
        Optional<ImageFormat> format = ImageFormat.ofFileName(file);
        if (format.isEmpty())
            throw new Failure.Unreadable(file
                    + ": expected an image (jpg, png, webp, gif, bmp, tif) or a folder of images, "
                    + "found another kind of file.");
        if (format.get() == ImageFormat.HEIF) throw ImageFiles.heifUnsupported(file);
        return new ImageFolder(file.toAbsolutePath().getParent(), List.of(file), 0);
    }

    /// A line for the user, e.g. "skipped 3 files that are not images"; empty if nothing was skipped.
    public Optional<String> skippedMessage() {
        if (skipped == 0) return Optional.empty();
        return Optional.of(
                "skipped " + fileCount(skipped) + (skipped == 1 ? " that is not an image" : " that are not images"));
    }

    private static String describeContents(Path folder, int skipped) throws Failure {
        String files = skipped == 0 ? "" : "only " + fileCount(skipped) + " of other kinds";
        int folderCount = entries(folder, Files::isDirectory).size();
        if (folderCount == 0) return files.isEmpty() ? "an empty folder" : files;
        return (files.isEmpty() ? "only " : files + " and ")
                + (folderCount == 1 ? "a folder without photos" : folderCount + " folders without photos");
    }

    private static String fileCount(int count) {
        return count == 1 ? "1 file" : count + " files";
    }

    /// The entries of a folder that match, sorted by name.
    /// @throws Failure.Unreadable when the folder cannot be listed
    static List<Path> entries(Path folder, Predicate<Path> filter) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(filter).sorted(Comparator.comparing(path -> path.getFileName().toString())).toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": the folder could not be listed (" + e.getMessage() + ").", e);
        }
    }
}
