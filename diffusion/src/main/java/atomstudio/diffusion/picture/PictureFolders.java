package atomstudio.diffusion.picture;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The folders whose photos belong to one subject: the given folder itself, the folders in it that are named in kohya's layout
/// (`10_sks car`), and, where there is no photo otherwise, the other folders in it. Folders within these are not entered.
/// @param parts   folders that hold pictures, by name; the given folder alone where there is no picture at all
/// @param leftOut folders that are not entered, and why
public record PictureFolders(List<Part> parts, List<LeftOut> leftOut) {
    /// Names of folders that hold masks or conditioning images, which are no photos.
    private static final Set<String> COMPANIONS = Set.of("mask", "masks", "conditioning");

    /// A folder, and what its name gives where it is one of kohya's layout.
    public record Part(Path folder, Optional<KohyaFolder> name) {
        static Part of(Path folder) {
            return new Part(folder, KohyaFolder.of(folder));
        }

        /// How often its photos count beside those of other folders.
        public int repeats() {
            return name.map(KohyaFolder::repeats).orElse(1);
        }
    }

    /// A folder that is not entered.
    public record LeftOut(Path folder, String why) {
        public String line() {
            return folder + ": " + why;
        }
    }

    public PictureFolders {
        parts = List.copyOf(parts);
        leftOut = List.copyOf(leftOut);
    }

    /// Only names are looked at. A file stands for itself.
    /// @throws Failure.Unreadable when a folder cannot be listed
    public static PictureFolders of(Path folder) throws Failure {
        if (!Files.isDirectory(folder)) return new PictureFolders(List.of(new Part(folder, Optional.empty())), List.of());
        List<Part> parts = new ArrayList<>();
        List<Part> plain = new ArrayList<>();
        List<LeftOut> leftOut = new ArrayList<>();
        if (holdsPictures(folder)) parts.add(new Part(folder, KohyaFolder.of(folder).filter(name -> name.repeats() > 0)));
        for (Path path : folders(folder)) {
            Part part = Part.of(path);
            Optional<String> why = reason(part);
            if (why.isPresent()) leftOut.add(new LeftOut(path, why.get()));
            else (part.name.isPresent() ? parts : plain).add(part);
        }
        if (parts.isEmpty()) parts.addAll(plain);
        else plain.forEach(part -> leftOut.add(new LeftOut(part.folder, "not entered, since there are photos beside it or folders such as \"10_sks car\"")));
        return new PictureFolders(parts.isEmpty() ? List.of(new Part(folder, Optional.empty())) : parts, leftOut);
    }

    /// Why a folder is not entered in any case.
    private static Optional<String> reason(Part part) throws Failure {
        String name = part.folder.getFileName().toString();
        if (COMPANIONS.contains(name.toLowerCase(Locale.ROOT))) return Optional.of("not entered, since its name says that it holds no photos");
        if (part.repeats() == 0) return Optional.of("left out, since its name says 0 repeats");
        if (holdsPictures(part.folder)) return Optional.empty();
        List<Path> deeper = new ArrayList<>();
        for (Path inner : folders(part.folder)) if (holdsPictures(inner)) deeper.add(inner);
        return Optional.of("holds no photo" + (deeper.isEmpty() ? "" : "; " + deeper.getFirst().getFileName() + " in it does: give " + part.folder + " itself to take it"));
    }

    /// The trigger word that the folders' names give.
    /// @throws Failure.Incompatible when they give different ones
    public Optional<String> trigger() throws Failure {
        return only("trigger word", "--token", KohyaFolder::trigger);
    }

    /// The class word that the folders' names give.
    /// @throws Failure.Incompatible when they give different ones
    public Optional<String> className() throws Failure {
        return only("class word", "--class", KohyaFolder::className);
    }

    private Optional<String> only(String what, String option, Function<KohyaFolder, Optional<String>> word) throws Failure {
        List<Part> named = parts.stream().filter(part -> part.name.flatMap(word).isPresent()).toList();
        List<String> words = named.stream().flatMap(part -> part.name.flatMap(word).stream()).distinct().toList();
        if (words.size() < 2) return words.stream().findFirst();
        String found = named.stream().map(part -> "\"" + part.folder.getFileName() + "\" gives " + part.name.flatMap(word).orElseThrow()).collect(Collectors.joining(", "));
        throw new Failure.Incompatible(named.getFirst().folder.toAbsolutePath().getParent() + ": expected folders of one subject, found different names for its " + what + ": " + found
            + ". Train each subject by itself, give class images separately (--prior), or say which word counts (" + option + ")");
    }

    private static boolean holdsPictures(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.anyMatch(file -> !hidden(file) && Pictures.named(file) && Files.isRegularFile(file));
        } catch (IOException unreadable) {
            throw unlistable(folder, unreadable);
        }
    }

    private static List<Path> folders(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(path -> !hidden(path) && Files.isDirectory(path)).sorted(Comparator.comparing(path -> path.getFileName().toString())).toList();
        } catch (IOException unreadable) {
            throw unlistable(folder, unreadable);
        }
    }

    private static Failure unlistable(Path folder, IOException unreadable) {
        return new Failure.Unreadable(folder + ": the folder could not be listed (" + unreadable.getMessage() + ").", unreadable);
    }

    /// Hidden, or what macOS adds to archives.
    private static boolean hidden(Path path) {
        String name = path.getFileName().toString();
        return name.startsWith(".") || name.equals("__MACOSX");
    }
}
