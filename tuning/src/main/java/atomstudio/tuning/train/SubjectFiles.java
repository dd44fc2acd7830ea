package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.PictureFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The files of a person's folder: pictures, and by a picture's name without its ending the mask NAME-mask.png and the caption NAME.txt
/// beside it. A mask is never itself a picture.
/// @param skipped other files
public record SubjectFiles(List<Path> pictures, Map<String, Path> masks, Map<String, Path> captions, int skipped) {
    private static final String MASK = "-mask.png";
    private static final String CAPTION = ".txt";

    /// @throws Failure.Unreadable when there is no picture
    public static SubjectFiles of(Path folder) throws Failure {
        PictureFolder listed = PictureFolder.list(folder);
        List<Path> pictures = listed.pictures().stream().filter(file -> !ends(file, MASK)).toList();
        if (pictures.isEmpty()) throw new Failure.Unreadable(folder + ": expected at least one picture, found only masks (NAME" + MASK + "), which are never pictures themselves; put the pictures beside them");
        Path place = listed.folder() == null ? Path.of("") : listed.folder();
        Map<String, Path> captions = beside(place, CAPTION);
        int read = (int) pictures.stream().map(SubjectFiles::stem).filter(captions::containsKey).distinct().count();
        return new SubjectFiles(pictures, beside(place, MASK), captions, Math.max(0, listed.skipped() - read));
    }

    /// A file's name without its ending.
    static String stem(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    /// What a person should know: masks (and captions, where they are used) that belong to no picture, and files that are not used.
    List<String> notes(Recipe recipe) {
        List<String> stems = pictures.stream().map(SubjectFiles::stem).toList();
        List<String> lines = new ArrayList<>();
        masks.forEach((stem, file) -> {
            if (!stems.contains(stem)) lines.add(file + ": a mask without its picture; expected one named " + stem + " with another ending beside it. It is left out");
        });
        if (recipe.has(Recipe.Feature.CAPTIONS)) {
            captions.forEach((stem, file) -> {
                if (!stems.contains(stem)) lines.add(file + ": a caption without its picture; expected one named " + stem + " with another ending beside it. It is left out");
            });
        }
        new PictureFolder(Path.of(""), pictures, skipped).skippedLine().ifPresent(lines::add);
        if (!recipe.has(Recipe.Feature.CAPTIONS) && stems.stream().anyMatch(captions::containsKey)) lines.add("there are captions beside the pictures; they count with --captions only");
        if (!recipe.has(Recipe.Feature.MASKS) && stems.stream().anyMatch(masks::containsKey)) lines.add("there are masks beside the pictures; they count with --masks only");
        return lines;
    }

    private static Map<String, Path> beside(Path folder, String ending) throws Failure {
        Map<String, Path> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(file -> ends(file, ending) && !file.getFileName().toString().startsWith(".") && Files.isRegularFile(file)).forEach(file -> {
                String name = file.getFileName().toString();
                found.put(name.substring(0, name.length() - ending.length()), file);
            });
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        return found;
    }

    private static boolean ends(Path file, String ending) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(ending);
    }
}
