package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The pictures in a folder, sorted by name, and how many other files were passed over.
public record ImageFolder(Path folder, List<Path> images, int skipped) {
    public ImageFolder {
        images = List.copyOf(images);
    }

    /// Lists a folder, or takes a single picture file. Subfolders are not entered; hidden files and files of other
    /// extensions are counted. Only names are looked at: {@link Pictures#read} refuses what cannot be decoded.
    /// @throws Failure.Unreadable if there is nothing there, no picture in it, or a HEIC picture
    public static ImageFolder list(Path folder) throws Failure {
        if (Files.isRegularFile(folder)) return ofFile(folder);
        if (!Files.isDirectory(folder))
            throw new Failure.Unreadable(
                    folder + ": expected a folder of pictures, found nothing there. Check the path.");
        List<Path> images = new ArrayList<>();
        int skipped = 0;
        for (Path file : listFiles(folder)) {
            Optional<ImageFormat> format = isHidden(file) ? Optional.empty()
                    : ImageFormat.ofFileName(file.getFileName().toString());
            if (format.isEmpty()) skipped++;
            else if (format.get() == ImageFormat.HEIF) throw ImageFiles.heifUnsupported(file);
            else images.add(file);
        }
        if (images.isEmpty()) {
            throw new Failure.Unreadable(
                    folder + ": expected at least one picture (jpg, png, webp, gif, bmp, tif), found "
                            + describeContents(folder, skipped) + ". Put some pictures of the subject there.");
        }
        return new ImageFolder(folder, images, skipped);
    }

    /// The line for the user, e.g. "skipped 3 files that are no pictures"; empty if nothing was skipped.
    public Optional<String> skippedMessage() {
        if (skipped == 0) return Optional.empty();
        return Optional
                .of("skipped " + listFiles(skipped) + (skipped == 1 ? " that is no picture" : " that are no pictures"));
    }

    private static String describeContents(Path folder, int skipped) throws Failure {
        String files = skipped == 0 ? "" : "only " + listFiles(skipped) + " of other kinds";
        try (Stream<Path> entries = Files.list(folder)) {
            long folderCount = entries.filter(Files::isDirectory).count();
            if (folderCount == 0) return files.isEmpty() ? "an empty folder" : files;
            return (files.isEmpty() ? "only " : files + " and ")
                    + (folderCount == 1 ? "a folder without photos" : folderCount + " folders without photos");
        } catch (IOException unreadable) {
            throw new Failure.Unreadable(folder + ": the folder could not be listed (" + unreadable.getMessage() + ").",
                    unreadable);
        }
    }

    private static ImageFolder ofFile(Path file) throws Failure {
        Optional<ImageFormat> format = ImageFormat.ofFileName(file.getFileName().toString());
        if (format.isEmpty())
            throw new Failure.Unreadable(file
                    + ": expected a picture (jpg, png, webp, gif, bmp, tif) or a folder of pictures, found a file of another kind.");
        if (format.get() == ImageFormat.HEIF) throw ImageFiles.heifUnsupported(file);
        return new ImageFolder(file.toAbsolutePath().getParent(), List.of(file), 0);
    }

    private static List<Path> listFiles(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile)
                    .sorted(Comparator.comparing(file -> file.getFileName().toString()))
                    .toList();
        } catch (IOException unreadable) {
            throw new Failure.Unreadable(folder + ": the folder could not be listed (" + unreadable.getMessage() + ").",
                    unreadable);
        }
    }

    private static boolean isHidden(Path file) {
        return file.getFileName().toString().startsWith(".");
    }

    private static String listFiles(int count) {
        return count == 1 ? "1 file" : count + " files";
    }
}
