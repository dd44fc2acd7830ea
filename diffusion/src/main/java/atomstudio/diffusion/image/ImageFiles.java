package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/// Reads image files: JPEG, PNG, WebP, GIF (first frame), BMP and TIFF, detected by content; upright, in sRGB.
public final class ImageFiles {
    private ImageFiles() {}

    /// Whether a file has the extension of an image file, readable or not; the file is not opened.
    public static boolean hasImageExtension(Path file) {
        return ImageFormat.ofFileName(file).isPresent();
    }

    /// Reads an image file.
    /// @throws Failure.Unreadable when the file is missing, damaged, not an image, or of a format without a decoder
    /// @throws Failure.Incompatible when the image has more than 200 megapixels
    /// @throws Failure.OutOfMemory when the memory is not enough to decode it
    public static RgbImage read(Path file) throws Failure {
        ImageFormat format = requireFormat(file);
        if (format == ImageFormat.HEIF) throw heifUnsupported(file);
        ImageIO.setUseCache(false);
        try {
            return Exif.Orientation.of(file, format).apply(ImageDecoder.decode(file, format));
        } catch (NoSuchFileException | AccessDeniedException e) {
            throw notOpened(file, e);
        } catch (IOException | RuntimeException | StackOverflowError e) {
            throw damaged(file, format, e);
        } catch (OutOfMemoryError e) {
            throw new Failure.OutOfMemory(
                    file + ": not enough memory to decode this image; "
                            + "make it smaller (2,000 pixels on each side are enough).",
                    e);
        }
    }

    private static ImageFormat requireFormat(Path file) throws Failure {
        // Decoders open files by name; a name in another encoding does not survive the round trip.
        if (!file.toFile().toPath().equals(file)) {
            throw new Failure.Unreadable(file
                    + ": this file's name is not in the encoding of this system, usually UTF-8, so the file cannot be "
                    + "opened. Rename it.");
        }
        return ImageFormat.detect(file)
                .orElseThrow(() -> new Failure.Unreadable(
                        file + ": expected a JPEG, PNG, WebP, GIF, BMP or TIFF image, found "
                                + (file.toFile().length() == 0 ? "an empty file" : "another kind of file")
                                + ". Remove it, or export it again as JPEG or PNG."));
    }

    /// The failure for HEIC, HEIF and AVIF, with instructions for conversion.
    static Failure heifUnsupported(Path file) {
        return new Failure.Unreadable(file + ": HEIC, HEIF and AVIF images are not supported. Export it as JPEG"
                + " (on a Mac: Preview, File, Export; on an iPhone: Settings, Camera, Formats, Most Compatible)"
                + " and use that file instead.");
    }

    static Failure notOpened(Path file, IOException cause) {
        return new Failure.Unreadable(
                file + ": expected an image file, found none that can be opened (" + reason(cause) + ")", cause);
    }

    private static Failure damaged(Path file, ImageFormat format, Throwable cause) {
        return new Failure.Unreadable(
                file + ": this " + format + " image could not be decoded; it is damaged or truncated ("
                        + reason(cause) + "). Copy or export it again, or remove it.",
                cause);
    }

    private static String reason(Throwable thrown) {
        return thrown.getMessage() == null ? thrown.getClass().getSimpleName() : thrown.getMessage();
    }
}
