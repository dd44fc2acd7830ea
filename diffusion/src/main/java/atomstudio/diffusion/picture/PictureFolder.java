package atomstudio.diffusion.picture;

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
public record PictureFolder(Path folder, List<Path> pictures, int skipped) {
    public PictureFolder {
        pictures = List.copyOf(pictures);
    }

    /// Lists a folder, or takes a single picture file. Subfolders are not entered; hidden files and files of other extensions are counted.
    /// Only names are looked at: {@link Pictures#read} refuses what cannot be decoded.
    /// @throws Failure.Unreadable if there is nothing there, no picture in it, or a HEIC picture
    public static PictureFolder list(Path folder) throws Failure {
        if (Files.isRegularFile(folder)) return single(folder);
        if (!Files.isDirectory(folder)) throw new Failure.Unreadable(folder + ": expected a folder of pictures, found nothing there. Check the path.");
        List<Path> pictures = new ArrayList<>();
        int skipped = 0;
        for (Path file : files(folder)) {
            Optional<PictureKind> kind = hidden(file) ? Optional.empty() : PictureKind.named(file.getFileName().toString());
            if (kind.isEmpty()) skipped++;
            else if (kind.get() == PictureKind.HEIF) throw Pictures.heif(file);
            else pictures.add(file);
        }
        if (pictures.isEmpty()) {
            throw new Failure.Unreadable(folder + ": expected at least one picture (jpg, png, webp, gif, bmp, tif), found "
                + found(folder, skipped) + ". Put some pictures of the subject there.");
        }
        return new PictureFolder(folder, pictures, skipped);
    }

    /// The line for the user, e.g. "skipped 3 files that are no pictures"; empty if nothing was skipped.
    public Optional<String> skippedLine() {
        if (skipped == 0) return Optional.empty();
        return Optional.of("skipped " + files(skipped) + (skipped == 1 ? " that is no picture" : " that are no pictures"));
    }

    private static String found(Path folder, int skipped) throws Failure {
        String files = skipped == 0 ? "" : "only " + files(skipped) + " of other kinds";
        try (Stream<Path> entries = Files.list(folder)) {
            long folders = entries.filter(Files::isDirectory).count();
            if (folders == 0) return files.isEmpty() ? "an empty folder" : files;
            return (files.isEmpty() ? "only " : files + " and ") + (folders == 1 ? "a folder without photos" : folders + " folders without photos");
        } catch (IOException unreadable) {
            throw new Failure.Unreadable(folder + ": the folder could not be listed (" + unreadable.getMessage() + ").", unreadable);
        }
    }

    private static PictureFolder single(Path file) throws Failure {
        Optional<PictureKind> kind = PictureKind.named(file.getFileName().toString());
        if (kind.isEmpty()) throw new Failure.Unreadable(file + ": expected a picture (jpg, png, webp, gif, bmp, tif) or a folder of pictures, found a file of another kind.");
        if (kind.get() == PictureKind.HEIF) throw Pictures.heif(file);
        return new PictureFolder(file.toAbsolutePath().getParent(), List.of(file), 0);
    }

    private static List<Path> files(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile).sorted(Comparator.comparing(file -> file.getFileName().toString())).toList();
        } catch (IOException unreadable) {
            throw new Failure.Unreadable(folder + ": the folder could not be listed (" + unreadable.getMessage() + ").", unreadable);
        }
    }

    private static boolean hidden(Path file) {
        return file.getFileName().toString().startsWith(".");
    }

    private static String files(int count) {
        return count == 1 ? "1 file" : count + " files";
    }
}
