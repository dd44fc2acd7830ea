package atomstudio.diffusion.picture;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// An image that belongs to a photo by its name and is never itself a photo: NAME-mask.png and the names that OneTrainer
/// (NAME-masklabel, NAME-condlabel) and other programs (NAME_mask, NAME.mask) have, as any kind of image, in any case.
/// @param owner the photo's name, without its ending or with it
public record Companion(Path file, String owner, Use use) {
    /// What it is for.
    public enum Use {
        MASK,
        /// What OneTrainer shows to models with a conditioning image; nothing here does.
        CONDITIONING
    }

    /// Where a photo has several masks, the earlier one counts.
    private static final List<String> MASKS = List.of("-masklabel", "-mask", "_mask", ".mask");
    private static final String CONDITIONING = "-condlabel";

    /// By its name alone; empty for every other file.
    public static Optional<Companion> of(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        if (dot < 0 || !Pictures.named(file)) return Optional.empty();
        String stem = name.substring(0, dot);
        String lower = stem.toLowerCase(Locale.ROOT);
        if (lower.endsWith(CONDITIONING)) return Optional.of(new Companion(file, cut(stem, CONDITIONING), Use.CONDITIONING));
        return MASKS.stream().filter(lower::endsWith).findFirst().map(ending -> new Companion(file, cut(stem, ending), Use.MASK));
    }

    private static String cut(String stem, String ending) {
        return stem.substring(0, stem.length() - ending.length());
    }

    /// Whether it belongs to this photo.
    public boolean of(String photo) {
        int dot = photo.lastIndexOf('.');
        return owner.equals(photo) || dot > 0 && owner.equals(photo.substring(0, dot));
    }

    /// Smaller for the one that counts.
    public int rank() {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        String stem = name.substring(0, name.lastIndexOf('.'));
        for (int i = 0; i < MASKS.size(); i++) if (stem.endsWith(MASKS.get(i))) return i;
        return MASKS.size();
    }
}
