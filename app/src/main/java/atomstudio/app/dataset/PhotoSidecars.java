package atomstudio.app.dataset;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.CompanionImage;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// A photo's caption and mask, as training reads them.
/// @param caption empty: none
public record PhotoSidecars(String caption, Optional<RgbImage> mask) {
    /// Reads the files beside a photo; one that cannot be read is left out, and training reports it.
    /// @param maskSide longer side of the mask, in pixels
    public static PhotoSidecars of(Path photo, int maskSide) {
        try {
            List<Path> files = SidecarFiles.of(photo);
            Optional<Path> caption = files.stream().filter(SidecarFiles::isCaption).findFirst();
            Optional<Path> mask = files.stream()
                    .flatMap(file -> CompanionImage.of(file).stream())
                    .filter(companion -> companion.role() == CompanionImage.Role.MASK)
                    .min(Comparator.comparingInt(CompanionImage::priority))
                    .map(CompanionImage::file);
            return new PhotoSidecars(caption.isPresent() ? Files.readString(caption.get()).strip() : "",
                    mask.isPresent() ? Optional.of(fit(ImageFiles.read(mask.get()), maskSide)) : Optional.empty());
        } catch (IOException | Failure unreadable) {
            return new PhotoSidecars("", Optional.empty());
        }
    }

    /// Reduces an image so that its longer side is at most `side`.
    public static RgbImage fit(RgbImage image, int side) {
        int longer = Math.max(image.width(), image.height());
        if (longer <= side) return image;
        return image.resize(Math.max(1, Math.round((float) image.width() * side / longer)),
                Math.max(1, Math.round((float) image.height() * side / longer)));
    }
}
