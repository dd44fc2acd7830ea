package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.CompanionImage;
import atomstudio.diffusion.image.ImageFolder;
import atomstudio.diffusion.image.PhotoFolders;
import atomstudio.tuning.config.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The files of the user's folder and its subfolders: photos, and their masks and captions (NAME.txt) by the photo's
/// path without extension. A mask, NAME-mask.png or as other programs name it, is never a photo.
/// @param ignoredCompanions masks without a photo, and conditioning images
/// @param skipped           number of other files
public record PhotoFiles(List<Path> photos, Map<Path, Path> masks, Map<Path, Path> captions,
        List<CompanionImage> ignoredCompanions, int skipped, PhotoFolders folders) {
    private static final String CAPTION_EXTENSION = ".txt";

    public PhotoFiles {
        photos = List.copyOf(photos);
        ignoredCompanions = List.copyOf(ignoredCompanions);
    }

    /// @throws Failure.Unreadable when there is no photo
    public static PhotoFiles of(Path folder) throws Failure {
        PhotoFolders folders = PhotoFolders.of(folder);
        List<Path> photos = new ArrayList<>();
        Map<Path, Path> masks = new TreeMap<>();
        Map<Path, Path> captions = new TreeMap<>();
        List<CompanionImage> companions = new ArrayList<>();
        int skipped = 0;
        for (PhotoFolders.Entry part : folders.entries()) {
            PhotoFiles files = of(part, folders);
            photos.addAll(files.photos);
            masks.putAll(files.masks);
            captions.putAll(files.captions);
            companions.addAll(files.ignoredCompanions);
            skipped += files.skipped;
        }
        return new PhotoFiles(photos, masks, captions, companions, skipped, folders);
    }

    private static PhotoFiles of(PhotoFolders.Entry part, PhotoFolders folders) throws Failure {
        try {
            return of(part.folder(), folders);
        } catch (Failure.Unreadable e) {
            if (folders.skipped().isEmpty()) throw e;
            throw new Failure.Unreadable(e.getMessage()
                    + folders.skipped().stream().map(each -> "\n  " + each.message()).collect(Collectors.joining()), e);
        }
    }

    private static PhotoFiles of(Path folder, PhotoFolders folders) throws Failure {
        ImageFolder listed = ImageFolder.list(folder);
        List<Path> photos = listed.images().stream().filter(file -> CompanionImage.of(file).isEmpty()).toList();
        if (photos.isEmpty()) {
            throw new Failure.Unreadable(folder + ": expected at least one photo, found only masks (NAME-mask.png, or "
                    + "NAME-masklabel, NAME-condlabel, NAME_mask, NAME.mask of other programs); put the photos beside "
                    + "them, or rename the files that are no masks");
        }
        Path directory = listed.folder() == null ? Path.of("") : listed.folder();
        Map<Path, Path> captions = captions(directory);
        int usedCaptions = (int) photos.stream().map(PhotoFiles::stem).filter(captions::containsKey).distinct().count();
        Map<Path, Path> masks = new TreeMap<>();
        List<CompanionImage> ignored = new ArrayList<>();
        for (CompanionImage companion : ignoredCompanions(directory)) {
            Optional<Path> owner = photos.stream()
                    .filter(photo -> companion.belongsTo(photo.getFileName().toString()))
                    .map(PhotoFiles::stem)
                    .findFirst();
            if (companion.role() != CompanionImage.Role.MASK || owner.isEmpty()
                    || masks.putIfAbsent(owner.get(), companion.file()) != null)
                ignored.add(companion);
        }
        return new PhotoFiles(photos, masks, captions, ignored, Math.max(0, listed.skipped() - usedCaptions), folders);
    }

    /// A file's path without its extension.
    static Path stem(Path file) {
        Path absolute = file.toAbsolutePath();
        String name = absolute.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? absolute.resolveSibling(name.substring(0, dot)) : absolute;
    }

    /// The folder of a photo.
    public PhotoFolders.Entry folderOf(Path photo) {
        return folders.entries()
                .stream()
                .filter(part -> part.folder().equals(photo.getParent()) || part.folder().equals(photo))
                .findFirst()
                .orElseThrow();
    }

    /// Masks and captions without a photo, and files that are not used.
    List<String> warnings(TrainingConfig config) {
        List<Path> stems = photos.stream().map(PhotoFiles::stem).toList();
        List<String> warnings = new ArrayList<>();
        folders.skipped().forEach(each -> warnings.add(each.message()));
        for (CompanionImage companion : ignoredCompanions) warnings.add(ignoredReason(companion));
        if (config.has(TrainingConfig.Feature.CAPTIONS)) {
            captions.forEach((stem, file) -> {
                if (!stems.contains(stem))
                    warnings.add(file + ": skipped, a caption without a photo; expected an image named "
                            + stem.getFileName() + " beside it");
            });
        }
        new ImageFolder(Path.of(""), photos, skipped).skippedMessage().ifPresent(warnings::add);
        if (!config.has(TrainingConfig.Feature.CAPTIONS) && stems.stream().anyMatch(captions::containsKey))
            warnings.add("the captions beside the photos are not used; turn on captions to use them");
        if (!config.has(TrainingConfig.Feature.MASKS) && stems.stream().anyMatch(masks::containsKey))
            warnings.add("the masks beside the photos are not used; turn on masks to use them");
        return warnings;
    }

    private String ignoredReason(CompanionImage companion) {
        if (companion.role() == CompanionImage.Role.CONDITIONING)
            return companion.file() + ": skipped, a conditioning image by its name";
        Optional<Path> usedMask = photos.stream()
                .filter(photo -> isBeside(companion, photo))
                .map(photo -> masks.get(stem(photo)))
                .findFirst();
        if (usedMask.isPresent())
            return companion.file() + ": skipped, a second mask beside " + usedMask.get().getFileName();
        return companion.file() + ": skipped, a mask without a photo; expected an image named "
                + companion.photoName() + " beside it; rename it if it is a photo itself";
    }

    private static boolean isBeside(CompanionImage companion, Path photo) {
        return stem(photo).getParent().equals(companion.file().toAbsolutePath().getParent())
                && companion.belongsTo(photo.getFileName().toString());
    }

    /// By priority: the first mask of a photo is used.
    private static List<CompanionImage> ignoredCompanions(Path folder) throws Failure {
        return files(folder).stream()
                .map(CompanionImage::of)
                .flatMap(Optional::stream)
                .sorted(Comparator.comparingInt(CompanionImage::priority))
                .toList();
    }

    private static Map<Path, Path> captions(Path folder) throws Failure {
        Map<Path, Path> found = new TreeMap<>();
        for (Path file : files(folder)) {
            String name = file.getFileName().toString();
            if (name.toLowerCase(Locale.ROOT).endsWith(CAPTION_EXTENSION)) found.put(stem(file), file);
        }
        return found;
    }

    /// Sorted, so that the result is the same on every file system.
    private static List<Path> files(Path folder) throws Failure {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> !file.getFileName().toString().startsWith(".") && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
    }
}
