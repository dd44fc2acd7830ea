package atomstudio.diffusion.image;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// The kinds of picture files people have, told by their first bytes; names lie.
enum ImageFormat {
    JPEG("jpg", "jpeg", "jfif", "jpe", "jif", "pjpeg", "pjp"), PNG("png", "apng"), WEBP("webp"), GIF("gif"), BMP("bmp", "dib"), TIFF("tif", "tiff"),
    /// Apple's and its relatives: HEVC or AV1 pictures in an ISO container. No maintained pure Java decoder exists.
    HEIF("heic", "heif", "hif", "avif");

    /// Bytes needed to tell.
    static final int SIGNATURE_BYTES = 16;
    private static final Set<String> HEIF_BRANDS = Set.of("heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1", "avif", "avis");

    private final Set<String> extensions;

    ImageFormat(String... extensions) {
        this.extensions = Set.of(extensions);
    }

    /// Of names of this kind, without the dot.
    Set<String> extensions() {
        return extensions;
    }

    /// By the first bytes of the file.
    static Optional<ImageFormat> ofSignature(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("ÿØÿ")) return Optional.of(JPEG);
        if (text.startsWith("\u0089PNG\r\n\u001a\n")) return Optional.of(PNG);
        if (text.startsWith("RIFF") && text.startsWith("WEBP", 8)) return Optional.of(WEBP);
        if (text.startsWith("GIF8")) return Optional.of(GIF);
        if (text.startsWith("BM")) return Optional.of(BMP);
        if (text.startsWith("II*\0") || text.startsWith("MM\0*") || text.startsWith("II+\0") || text.startsWith("MM\0+")) return Optional.of(TIFF);
        if (text.startsWith("ftyp", 4) && text.length() >= 12 && HEIF_BRANDS.contains(text.substring(8, 12))) return Optional.of(HEIF);
        return Optional.empty();
    }

    /// By the file's name, any case.
    static Optional<ImageFormat> ofFileName(String fileName) {
        String extension = fileName.substring(fileName.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        for (ImageFormat format : values()) if (format.extensions.contains(extension)) return Optional.of(format);
        return Optional.empty();
    }
}
