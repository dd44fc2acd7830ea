package atomstudio.diffusion.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// An image that belongs to a photo by its name and is never itself a photo: NAME-mask.png and the names that
/// OneTrainer (NAME-masklabel, NAME-condlabel) and other programs (NAME_mask, NAME.mask) have, as any kind of image,
/// in any case.
/// @param photoName the photo's name, without its ending or with it
public record CompanionImage(Path file, String photoName, Role role) {
    /// What it is for.
    public enum Role {
        MASK,
        /// What OneTrainer shows to models with a conditioning image; nothing here does.
        CONDITIONING
    }

    /// Where a photo has several masks, the earlier one counts.
    private static final List<String> MASK_SUFFIXES = List.of("-masklabel", "-mask", "_mask", ".mask");
    private static final String CONDITIONING_SUFFIX = "-condlabel";

    /// By its name alone; empty for every other file.
    public static Optional<CompanionImage> of(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        if (dot < 0 || !ImageFiles.hasImageExtension(file)) return Optional.empty();
        String stem = name.substring(0, dot);
        String lower = stem.toLowerCase(Locale.ROOT);
        if (lower.endsWith(CONDITIONING_SUFFIX)) return Optional.of(new CompanionImage(file, stripSuffix(stem, CONDITIONING_SUFFIX), Role.CONDITIONING));
        return MASK_SUFFIXES.stream().filter(lower::endsWith).findFirst().map(suffix -> new CompanionImage(file, stripSuffix(stem, suffix), Role.MASK));
    }

    private static String stripSuffix(String stem, String suffix) {
        return stem.substring(0, stem.length() - suffix.length());
    }

    /// Whether it belongs to this photo.
    public boolean belongsTo(String photo) {
        int dot = photo.lastIndexOf('.');
        return photoName.equals(photo) || dot > 0 && photoName.equals(photo.substring(0, dot));
    }

    /// Smaller for the one that counts.
    public int priority() {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        String stem = name.substring(0, name.lastIndexOf('.'));
        for (int i = 0; i < MASK_SUFFIXES.size(); i++) if (stem.endsWith(MASK_SUFFIXES.get(i))) return i;
        return MASK_SUFFIXES.size();
    }
}
