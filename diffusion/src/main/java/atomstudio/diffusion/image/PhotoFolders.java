package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The photo folders of one subject: the given folder, its subfolders in kohya's layout (`10_sks car`), and, if there
/// are no photos otherwise, its other subfolders. Deeper folders are not entered.
/// @param entries folders with photos, sorted by name; only the given folder if there are no photos at all
/// @param skipped folders that are not entered, and why
public record PhotoFolders(List<Entry> entries, List<Skipped> skipped) {
    /// Names of folders of masks or conditioning images.
    private static final Set<String> NON_PHOTO_FOLDERS = Set.of("mask", "masks", "conditioning");

    /// A photo folder, and its parsed name if it is in kohya's layout.
    public record Entry(Path folder, Optional<KohyaFolder> kohya) {
        static Entry of(Path folder) {
            return new Entry(folder, KohyaFolder.of(folder));
        }

        /// Repeats of its photos per epoch.
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

    /// Finds the photo folders by names; no file is opened. A file is its own entry.
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
            else if (entry.kohya.isPresent()) photoFolders.add(entry);
            else otherFolders.add(entry);
        }
        if (photoFolders.isEmpty()) {
            photoFolders.addAll(otherFolders);
        } else {
            for (Entry entry : otherFolders)
                skippedFolders.add(new Skipped(entry.folder,
                        "not entered, because there are photos next to it or folders such as \"10_sks car\""));
        }
        return new PhotoFolders(photoFolders.isEmpty() ? List.of(new Entry(folder, Optional.empty())) : photoFolders,
                skippedFolders);
    }

    /// Why a folder is never entered; empty if it may be.
    private static Optional<String> skipReason(Entry entry) throws Failure {
        String name = entry.folder.getFileName().toString();
        if (NON_PHOTO_FOLDERS.contains(name.toLowerCase(Locale.ROOT)))
            return Optional.of("not entered, because folders of this name hold masks, not photos");
        if (entry.repeats() == 0) return Optional.of("skipped, because its name gives 0 repeats");
        if (containsImages(entry.folder)) return Optional.empty();
        List<Path> withImages = new ArrayList<>();
        for (Path inner : subfolders(entry.folder)) if (containsImages(inner)) withImages.add(inner);
        return Optional.of("has no photos" + (withImages.isEmpty() ? ""
                : ", but its subfolder " + withImages.getFirst().getFileName() + " has: choose " + entry.folder
                        + " itself to use them"));
    }

    /// The trigger word in the folder names.
    /// @throws Failure.Incompatible when they have different ones
    public Optional<String> triggerWord() throws Failure {
        return uniqueWord("trigger word", KohyaFolder::triggerWord);
    }

    /// The class word in the folder names.
    /// @throws Failure.Incompatible when they have different ones
    public Optional<String> className() throws Failure {
        return uniqueWord("class word", KohyaFolder::className);
    }

    private Optional<String> uniqueWord(String description, Function<KohyaFolder, Optional<String>> word)
            throws Failure {
        List<Entry> matching = entries.stream().filter(entry -> entry.kohya.flatMap(word).isPresent()).toList();
        List<String> words = matching.stream().flatMap(entry -> entry.kohya.flatMap(word).stream()).distinct().toList();
        if (words.size() < 2) return words.stream().findFirst();
        String found = matching.stream()
                .map(entry -> "\"" + entry.folder.getFileName() + "\" gives " + entry.kohya.flatMap(word).orElseThrow())
                .collect(Collectors.joining(", "));
        throw new Failure.Incompatible(matching.getFirst().folder.toAbsolutePath().getParent()
                + ": expected folders of one subject, found different values of its " + description + ": " + found
                + ". Train each subject separately, give class images separately, or set the "
                + description);
    }

    private static boolean containsImages(Path folder) throws Failure {
        return !ImageFolder.entries(folder,
                file -> !isHidden(file) && ImageFiles.hasImageExtension(file) && Files.isRegularFile(file)).isEmpty();
    }

    private static List<Path> subfolders(Path folder) throws Failure {
        return ImageFolder.entries(folder, path -> !isHidden(path) && Files.isDirectory(path));
    }

    /// Hidden, or the folder that macOS adds to archives.
    private static boolean isHidden(Path path) {
        String name = path.getFileName().toString();
        return name.startsWith(".") || name.equals("__MACOSX");
    }
}
