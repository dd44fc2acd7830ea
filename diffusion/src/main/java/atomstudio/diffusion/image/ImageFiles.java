package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.BufferedFileImageInputStream;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;

/// Reads picture files: JPEG, PNG, WebP, GIF (its first frame), BMP, TIFF, told by their bytes; upright, in sRGB.
public final class ImageFiles {
    /// Pictures with more pixels are refused before anything is allocated.
    public static final long MAX_PIXELS = 200_000_000;
    /// Pictures with more pixels are thinned out while they are read; ten times what a model sees is left.
    private static final long SUBSAMPLE_FROM_PIXELS = 25_000_000;

    /// The TIFF decoder refuses pictures of more than 512 times their file's length. One of a single colour may have
    /// 1,000 times that, so that the decoder is given a length so many times the file's.
    private static final long TIFF_LENGTH_FACTOR = 4;

    private ImageFiles() {}

    /// Whether a file's name is that of a picture, readable here or not; nothing is opened.
    public static boolean hasImageExtension(Path file) {
        return ImageFormat.ofFileName(file.getFileName().toString()).isPresent();
    }

    /// The endings of the names of picture files, sorted, without the dot; those of kinds that cannot be read are
    /// among them, so that people find their files and are told.
    public static List<String> extensions() {
        return Stream.of(ImageFormat.values()).flatMap(format -> format.extensions().stream()).sorted().toList();
    }

    /// Whether a file begins as a picture does, readable here or not.
    /// @throws Failure.Unreadable when it cannot be opened
    public static boolean hasImageSignature(Path file) throws Failure {
        return ImageFormat.ofSignature(readHead(file)).isPresent();
    }

    /// Whether it is a PNG file, by its first bytes: the only kind whose texts are read.
    /// @throws Failure.Unreadable when it cannot be opened
    public static boolean isPng(Path file) throws Failure {
        return ImageFormat.ofSignature(readHead(file)).filter(format -> format == ImageFormat.PNG).isPresent();
    }

    /// Whether it is a WebP file, by its first bytes.
    /// @throws Failure.Unreadable when it cannot be opened
    public static boolean webp(Path file) throws Failure {
        return ImageFormat.ofSignature(readHead(file)).filter(format -> format == ImageFormat.WEBP).isPresent();
    }

    /// @throws Failure.Unreadable if the file is missing, damaged, no picture, or of a kind nobody here can read; the
    ///     message names it
    /// @throws Failure.Incompatible if the picture is enormous
    public static RgbImage read(Path file) throws Failure {
        ImageFormat format = detectFormat(file);
        if (format == ImageFormat.HEIF) throw heifUnsupported(file);
        ImageIO.setUseCache(false);
        try {
            return Exif.Orientation.of(file, format).apply(readStored(file, format));
        } catch (NoSuchFileException | AccessDeniedException unopened) {
            throw notOpened(file, unopened);
        } catch (IOException | RuntimeException damaged) {
            throw damaged(file, format, damaged);
        } catch (StackOverflowError nested) {
            throw damaged(file, format, nested);
        } catch (OutOfMemoryError outOfMemory) {
            throw new Failure.OutOfMemory(file
                    + ": the memory did not suffice to decode this picture; make it smaller (2,000 pixels a side are plenty).",
                    outOfMemory);
        }
    }

    /// In sRGB, not yet turned upright.
    private static RgbImage readStored(Path file, ImageFormat format) throws IOException, Failure {
        if (format == ImageFormat.WEBP) return webp(file, WebpFile.read(file));
        if (format == ImageFormat.JPEG) JpegSegments.requireFewScans(file);
        if (format == ImageFormat.PNG) PngChunks.requireIntactPixels(file);
        try (ImageInputStream stream = format == ImageFormat.TIFF ? openTiff(file)
                : new BufferedFileImageInputStream(file.toFile())) {
            RgbImage stored = decode(file, format, stream);
            return format == ImageFormat.PNG ? SrgbConverter.fromPng(PngChunks.readColourSpace(file), stored) : stored;
        }
    }

    private static ImageInputStream openTiff(Path file) throws IOException {
        return new FileImageInputStream(file.toFile()) {
            @Override
            public long length() {
                return TIFF_LENGTH_FACTOR * super.length();
            }
        };
    }

    private static Failure damaged(Path file, ImageFormat format, Throwable cause) {
        return new Failure.Unreadable(
                file + ": this " + format + " picture could not be decoded; it is damaged or was cut short ("
                        + reason(cause) + "). Copy or export it again, or take it out.",
                cause);
    }

    /// What to do with a picture of Apple's kind.
    static Failure heifUnsupported(Path file) {
        return new Failure.Unreadable(file + ": HEIC, HEIF and AVIF pictures cannot be read. Export it as JPEG"
                + " (on a Mac: Preview, File, Export; on an iPhone: Settings, Camera, Formats, Most Compatible) and use that file instead.");
    }

    private static ImageFormat detectFormat(Path file) throws Failure {
        // Decoders open files by name, and such a name comes back as another one.
        if (!file.toFile().toPath().equals(file)) {
            throw new Failure.Unreadable(file
                    + ": this file's name is not in the encoding of this system, UTF-8 in most, so that it cannot be opened by its name. Rename it.");
        }
        byte[] head = readHead(file);
        return ImageFormat.ofSignature(head)
                .orElseThrow(() -> new Failure.Unreadable(
                        file + ": expected a JPEG, PNG, WebP, GIF, BMP or TIFF picture, found "
                                + (head.length == 0 ? "an empty file" : "something else")
                                + ". Take it out or export it again as JPEG or PNG."));
    }

    private static byte[] readHead(Path file) throws Failure {
        // A pipe would be waited for.
        if (Files.exists(file) && !Files.isRegularFile(file))
            throw new Failure.Unreadable(file + ": expected a picture file, found "
                    + (Files.isDirectory(file) ? "a folder" : "a device or a pipe"));
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(ImageFormat.SIGNATURE_BYTES);
        } catch (IOException missing) {
            throw notOpened(file, missing);
        }
    }

    private static Failure notOpened(Path file, IOException cause) {
        return new Failure.Unreadable(
                file + ": expected a picture file, found none that can be opened (" + reason(cause) + ")", cause);
    }

    private static RgbImage decode(Path file, ImageFormat format, ImageInputStream stream) throws IOException, Failure {
        ImageReader reader = provider(format).createReaderInstance();
        try {
            List<String> warnings = new ArrayList<>();
            reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
            reader.setInput(stream, true, format != ImageFormat.GIF);
            if (format == ImageFormat.GIF) return decodeGif(file, reader);
            int subsampling = subsampling(file, reader.getWidth(0), reader.getHeight(0));
            ImageReadParam readParam = reader.getDefaultReadParam();
            readParam.setSourceSubsampling(subsampling, subsampling, subsampling / 2, subsampling / 2);
            BufferedImage decoded = reader.read(0, readParam);
            for (String warning : warnings) {
                if (warning != null && warning.toLowerCase(Locale.ROOT).contains("premature"))
                    throw new IIOException(warning);
            }
            return SrgbConverter.convert(decoded);
        } finally {
            reader.dispose();
        }
    }

    /// The first frame on the file's canvas.
    private static RgbImage decodeGif(Path file, ImageReader reader) throws IOException, Failure {
        subsampling(file, reader.getWidth(0), reader.getHeight(0));
        GifCanvas canvas = GifCanvas.of(reader);
        int subsampling = subsampling(file, canvas.width(), canvas.height());
        return canvas.compose(SrgbConverter.convert(reader.read(0))).subsample(subsampling);
    }

    /// The bit stream by itself, then what the container says of it: opacity, colours, its place in an animation.
    private static RgbImage webp(Path file, WebpFile webp) throws IOException, Failure {
        WebpFile.Size size = webp.imageSize();
        WebpFile.Size canvas = webp.canvasSize();
        int subsampling = subsampling(file, canvas.width(), canvas.height());
        Optional<byte[]> lossy = webp.lossyAsWebp();
        subsampling(file, size.width(), size.height());
        RgbImage image = lossy.isPresent() ? decodeLossyWebp(lossy.get())
                : new RgbImage(size.width(), size.height(), webp.decodeLossless());
        Optional<byte[]> alpha = webp.alpha();
        if (alpha.isPresent()) image = image.withAlpha(alpha.get());
        Optional<ICC_Profile> profile = webp.profile();
        if (profile.isPresent()) image = SrgbConverter.applyProfile(profile.get(), image);
        if (!size.equals(canvas)) image = image.pasteOnCanvas(canvas.width(), canvas.height(), webp.left(), webp.top());
        return image.subsample(subsampling);
    }

    private static RgbImage decodeLossyWebp(byte[] webp) throws IOException {
        ImageReader reader = provider(ImageFormat.WEBP).createReaderInstance();
        try (ImageInputStream stream = new ByteArrayImageInputStream(webp)) {
            reader.setInput(stream, true, true);
            return SrgbConverter.convert(reader.read(0));
        } finally {
            reader.dispose();
        }
    }

    /// Every how manieth pixel is read.
    private static int subsampling(Path file, int width, int height) throws Failure {
        long pixels = (long) width * height;
        if (pixels > MAX_PIXELS) {
            throw new Failure.Incompatible(String.format(Locale.ROOT,
                    "%s: expected a picture of at most %d megapixels, found %,d x %,d (%,d megapixels). Make it smaller and use that.",
                    file, MAX_PIXELS / 1_000_000, width, height, pixels / 1_000_000));
        }
        int subsampling = (int) Math.ceil(Math.sqrt((double) pixels / SUBSAMPLE_FROM_PIXELS));
        return Math.clamp(subsampling, 1, Math.min(width, height));
    }

    /// The reader of a kind, found without service files: they get lost where jars are merged.
    private static ImageReaderSpi provider(ImageFormat format) throws IOException {
        return switch (format) {
            case JPEG -> register(new JPEGImageReaderSpi());
            case WEBP -> register(new WebPImageReaderSpi());
            case TIFF -> register(new TIFFImageReaderSpi());
            case PNG -> builtIn("png");
            case GIF -> builtIn("gif");
            case BMP -> builtIn("bmp");
            case HEIF -> throw new IIOException("no reader");
        };
    }

    /// Registering lets the JPEG reader find the decoder under it.
    private static ImageReaderSpi register(ImageReaderSpi provider) {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        synchronized (ImageFiles.class) {
            ImageReaderSpi existing = registry.getServiceProviderByClass(provider.getClass());
            if (existing != null) return existing;
            registry.registerServiceProvider(provider);
            return provider;
        }
    }

    private static ImageReaderSpi builtIn(String format) throws IIOException {
        Iterator<ImageReaderSpi> providers = IIORegistry.getDefaultInstance()
                .getServiceProviders(ImageReaderSpi.class, true);
        while (providers.hasNext()) {
            ImageReaderSpi provider = providers.next();
            if (provider.getClass().getName().startsWith("com.sun.imageio.plugins." + format + ".")) return provider;
        }
        throw new IIOException("this Java has no reader for " + format);
    }

    private static String reason(Throwable thrown) {
        return thrown.getMessage() == null ? thrown.getClass().getSimpleName() : thrown.getMessage();
    }
}
