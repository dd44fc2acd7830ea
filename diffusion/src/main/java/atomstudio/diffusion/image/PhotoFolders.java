package atomstudio.diffusion.image;

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

/// The folders whose photos belong to one subject: the given folder itself, the folders in it that are named in
/// kohya's layout (`10_sks car`), and, where there is no photo otherwise, the other folders in it. Folders within
/// these are not entered.
/// @param entries   folders that hold pictures, by name; the given folder alone where there is no picture at all
/// @param skipped folders that are not entered, and why
public record PhotoFolders(List<Entry> entries, List<Skipped> skipped) {
    /// Names of folders that hold masks or conditioning images, which are no photos.
    private static final Set<String> NON_PHOTO_FOLDERS = Set.of("mask", "masks", "conditioning");

    /// A folder, and what its name gives where it is one of kohya's layout.
    public record Entry(Path folder, Optional<KohyaFolder> kohya) {
        static Entry of(Path folder) {
            return new Entry(folder, KohyaFolder.of(folder));
        }

        /// How often its photos count beside those of other folders.
        public int repeats() {
            return kohya.map(KohyaFolder::repeats).orElse(1);
        }
    }

    /// A folder that is not entered.
    public record Skipped(Path folder, String reason) {
        public String message() {
            return folder + ": " + reason;
        }
    }

    public PhotoFolders {
        entries = List.copyOf(entries);
        skipped = List.copyOf(skipped);
    }

    /// Only names are looked at. A file stands for itself.
    /// @throws Failure.Unreadable when a folder cannot be listed
    public static PhotoFolders of(Path folder) throws Failure {
        if (!Files.isDirectory(folder))
            return new PhotoFolders(List.of(new Entry(folder, Optional.empty())), List.of());
        List<Entry> photoFolders = new ArrayList<>();
        List<Entry> otherFolders = new ArrayList<>();
        List<Skipped> skippedFolders = new ArrayList<>();
        if (containsImages(folder))
            photoFolders.add(new Entry(folder, KohyaFolder.of(folder).filter(kohya -> kohya.repeats() > 0)));
        for (Path path : subfolders(folder)) {
            Entry entry = Entry.of(path);
            Optional<String> reason = skipReason(entry);
            if (reason.isPresent()) skippedFolders.add(new Skipped(path, reason.get()));
            else(entry.kohya.isPresent() ? photoFolders : otherFolders).add(entry);
        }
        if (photoFolders.isEmpty()) photoFolders.addAll(otherFolders);
        else
            otherFolders.forEach(entry -> skippedFolders.add(new Skipped(entry.folder,
                    "not entered, since there are photos beside it or folders such as \"10_sks car\"")));
        return new PhotoFolders(photoFolders.isEmpty() ? List.of(new Entry(folder, Optional.empty())) : photoFolders,
                skippedFolders);
    }

    /// Why a folder is not entered in any case.
    private static Optional<String> skipReason(Entry entry) throws Failure {
        String name = entry.folder.getFileName().toString();
        if (NON_PHOTO_FOLDERS.contains(name.toLowerCase(Locale.ROOT)))
            return Optional.of("not entered, since its name says that it holds no photos");
        if (entry.repeats() == 0) return Optional.of("left out, since its name says 0 repeats");
        if (containsImages(entry.folder)) return Optional.empty();
        List<Path> withImages = new ArrayList<>();
        for (Path inner : subfolders(entry.folder)) if (containsImages(inner)) withImages.add(inner);
        return Optional.of("holds no photo" + (withImages.isEmpty() ? ""
                : "; " + withImages.getFirst().getFileName() + " in it does: give " + entry.folder
                        + " itself to take it"));
    }

    /// The trigger word that the folders' names give.
    /// @throws Failure.Incompatible when they give different ones
    public Optional<String> triggerWord() throws Failure {
        return uniqueWord("trigger word", "--token", KohyaFolder::triggerWord);
    }

    /// The class word that the folders' names give.
    /// @throws Failure.Incompatible when they give different ones
    public Optional<String> className() throws Failure {
        return uniqueWord("class word", "--class", KohyaFolder::className);
    }

    private Optional<String> uniqueWord(String description, String option, Function<KohyaFolder, Optional<String>> word)
            throws Failure {
        List<Entry> matching = entries.stream().filter(entry -> entry.kohya.flatMap(word).isPresent()).toList();
        List<String> words = matching.stream().flatMap(entry -> entry.kohya.flatMap(word).stream()).distinct().toList();
        if (words.size() < 2) return words.stream().findFirst();
        String found = matching.stream()
                .map(entry -> "\"" + entry.folder.getFileName() + "\" gives " + entry.kohya.flatMap(word).orElseThrow())
                .collect(Collectors.joining(", "));
        throw new Failure.Incompatible(matching.getFirst().folder.toAbsolutePath().getParent()
                + ": expected folders of one subject, found different names for its " + description + ": " + found
                + ". Train each subject by itself, give class images separately (--class-images), or say which word counts ("
                + option + ")");
    }

    private static boolean containsImages(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.anyMatch(
                    file -> !isHidden(file) && ImageFiles.hasImageExtension(file) && Files.isRegularFile(file));
        } catch (IOException unreadable) {
            throw unlistable(folder, unreadable);
        }
    }

    private static List<Path> subfolders(Path folder) throws Failure {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(path -> !isHidden(path) && Files.isDirectory(path))
                    .sorted(Comparator.comparing(path -> path.getFileName().toString()))
                    .toList();
        } catch (IOException unreadable) {
            throw unlistable(folder, unreadable);
        }
    }

    private static Failure unlistable(Path folder, IOException unreadable) {
        return new Failure.Unreadable(folder + ": the folder could not be listed (" + unreadable.getMessage() + ").",
                unreadable);
    }

    /// Hidden, or what macOS adds to archives.
    private static boolean isHidden(Path path) {
        String name = path.getFileName().toString();
        return name.startsWith(".") || name.equals("__MACOSX");
    }
}
