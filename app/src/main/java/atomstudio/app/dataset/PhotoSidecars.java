package atomstudio.app.dataset;

import atomstudio.diffusion.image.CompanionImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// A photo's caption and mask, as training reads them.
/// @param caption empty: none
/// @param mask    the mask's file
public record PhotoSidecars(String caption, Optional<Path> mask) {
    /// Reads the files beside a photo; one that cannot be read is left out, and training reports it.
    public static PhotoSidecars of(Path photo) {
        try {
            List<Path> files = SidecarFiles.of(photo);
            Optional<Path> caption = files.stream().filter(SidecarFiles::isCaption).findFirst();
            Optional<Path> mask = files.stream()
                    .flatMap(file -> CompanionImage.of(file).stream())
                    .filter(companion -> companion.role() == CompanionImage.Role.MASK)
                    .min(Comparator.comparingInt(CompanionImage::priority))
                    .map(CompanionImage::file);
            return new PhotoSidecars(caption.isPresent() ? Files.readString(caption.get()).strip() : "",
                    mask);
        } catch (IOException unreadable) {
            return new PhotoSidecars("", Optional.empty());
        }
    }
}
