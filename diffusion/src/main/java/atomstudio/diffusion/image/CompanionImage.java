package atomstudio.diffusion.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// An image that belongs to a photo by its name and is not itself a photo: NAME-mask, OneTrainer's NAME-masklabel and
/// NAME-condlabel, and NAME_mask and NAME.mask of other programs, in any image format and in any case.
/// @param photoName the photo's name, with or without its extension
public record CompanionImage(Path file, String photoName, Role role) {
    public enum Role {
        MASK,
        /// OneTrainer's conditioning image, which is not used here.
        CONDITIONING
    }

    /// In order of precedence.
    private static final List<String> MASK_SUFFIXES = List.of("-masklabel", "-mask", "_mask", ".mask");
    private static final String CONDITIONING_SUFFIX = "-condlabel";

    /// The companion image by the file name; empty for other files.
    public static Optional<CompanionImage> of(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        if (dot < 0 || !ImageFiles.hasImageExtension(file)) return Optional.empty();
        String stem = name.substring(0, dot);
        String lower = stem.toLowerCase(Locale.ROOT);
        if (lower.endsWith(CONDITIONING_SUFFIX))
            return Optional.of(new CompanionImage(file, stripSuffix(stem, CONDITIONING_SUFFIX), Role.CONDITIONING));
        return MASK_SUFFIXES.stream()
                .filter(lower::endsWith)
                .findFirst()
                .map(suffix -> new CompanionImage(file, stripSuffix(stem, suffix), Role.MASK));
    }

    private static String stripSuffix(String stem, String suffix) {
        return stem.substring(0, stem.length() - suffix.length());
    }

    public boolean belongsTo(String photo) {
        int dot = photo.lastIndexOf('.');
        return photoName.equals(photo) || dot > 0 && photoName.equals(photo.substring(0, dot));
    }

    /// Rank among several masks of a photo; the smallest is used.
    public int priority() {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        String stem = name.substring(0, name.lastIndexOf('.'));
        for (int i = 0; i < MASK_SUFFIXES.size(); i++) if (stem.endsWith(MASK_SUFFIXES.get(i))) return i;
        return MASK_SUFFIXES.size();
    }
}
