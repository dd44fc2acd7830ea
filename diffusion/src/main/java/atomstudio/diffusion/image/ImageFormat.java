package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Image file formats, detected by content or by file name.
public enum ImageFormat {
    JPEG("jpg", "jpeg", "jfif", "jpe", "jif", "pjpeg", "pjp"),
    PNG("png", "apng"), WEBP("webp"), GIF("gif"), BMP("bmp", "dib"), TIFF("tif", "tiff"),
    /// HEIC, HEIF and AVIF: HEVC or AV1 in an ISO container. No maintained pure Java decoder exists.
    HEIF("heic", "heif", "hif", "avif");

    private static final int SIGNATURE_BYTES = 16;
    private static final Set<String> TIFF_SIGNATURES = Set.of("II*\0", "MM\0*", "II+\0", "MM\0+");
    private static final Set<String> HEIF_BRANDS = Set.of("heic", "heix", "hevc", "hevx", "heim", "heis", "mif1",
            "msf1", "avif", "avis");

    private final Set<String> extensions;

    ImageFormat(String... extensions) {
        this.extensions = Set.of(extensions);
    }

    /// File name extensions of all formats, sorted, without the dot. Unreadable formats are included, so that users
    /// can select such a file and get an explanation.
    public static List<String> extensions() {
        return Stream.of(values()).flatMap(format -> format.extensions.stream()).sorted().toList();
    }

    /// The format by the file name's extension; the file is not opened.
    public static Optional<ImageFormat> ofFileName(Path file) {
        String name = file.getFileName().toString();
        String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return Stream.of(values()).filter(format -> format.extensions.contains(extension)).findFirst();
    }

    /// The format by the first bytes of the file; empty for other files.
    /// @throws Failure.Unreadable when the file cannot be opened
    public static Optional<ImageFormat> detect(Path file) throws Failure {
        // Opening a pipe would block.
        if (Files.exists(file) && !Files.isRegularFile(file))
            throw new Failure.Unreadable(file + ": expected an image file, found "
                    + (Files.isDirectory(file) ? "a folder" : "a device or a pipe"));
        try (InputStream in = Files.newInputStream(file)) {
            return ofSignature(new String(in.readNBytes(SIGNATURE_BYTES), StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw ImageFiles.notOpened(file, e);
        }
    }

    /// Whether a file is of this format, by its first bytes.
    /// @throws Failure.Unreadable when the file cannot be opened
    public boolean matches(Path file) throws Failure {
        return detect(file).equals(Optional.of(this));
    }

    private static Optional<ImageFormat> ofSignature(String start) {
        if (start.startsWith("ÿØÿ")) return Optional.of(JPEG);
        if (start.startsWith("\u0089PNG\r\n\u001a\n")) return Optional.of(PNG);
        if (start.startsWith("RIFF") && start.startsWith("WEBP", 8)) return Optional.of(WEBP);
        if (start.startsWith("GIF8")) return Optional.of(GIF);
        if (start.startsWith("BM")) return Optional.of(BMP);
        if (TIFF_SIGNATURES.stream().anyMatch(start::startsWith)) return Optional.of(TIFF);
        boolean isHeif = start.startsWith("ftyp", 4) && start.length() >= 12
                && HEIF_BRANDS.contains(start.substring(8, 12));
        return isHeif ? Optional.of(HEIF) : Optional.empty();
    }
}
