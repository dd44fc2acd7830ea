package atomstudio.diffusion.picture;

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
public final class Pictures {
    /// Pictures with more pixels are refused before anything is allocated.
    public static final long MOST_PIXELS = 200_000_000;
    /// Pictures with more pixels are thinned out while they are read; ten times what a model sees is left.
    private static final long ENOUGH_PIXELS = 25_000_000;

    /// The TIFF decoder refuses pictures of more than 512 times their file's length. One of a single colour may have 1,000 times that, so that
    /// the decoder is given a length so many times the file's.
    private static final long FLAT = 4;

    private Pictures() {}

    /// Whether a file's name is that of a picture, readable here or not; nothing is opened.
    public static boolean named(Path file) {
        return PictureKind.named(file.getFileName().toString()).isPresent();
    }

    /// The endings of the names of picture files, sorted, without the dot; those of kinds that cannot be read are among them, so that people find
    /// their files and are told.
    public static List<String> endings() {
        return Stream.of(PictureKind.values()).flatMap(kind -> kind.endings().stream()).sorted().toList();
    }

    /// Whether a file begins as a picture does, readable here or not.
    /// @throws Failure.Unreadable when it cannot be opened
    public static boolean begins(Path file) throws Failure {
        return PictureKind.of(head(file)).isPresent();
    }

    /// Whether it is a PNG file, by its first bytes: the only kind whose texts are read.
    /// @throws Failure.Unreadable when it cannot be opened
    public static boolean png(Path file) throws Failure {
        return PictureKind.of(head(file)).filter(kind -> kind == PictureKind.PNG).isPresent();
    }

    /// Whether it is a WebP file, by its first bytes.
    /// @throws Failure.Unreadable when it cannot be opened
    public static boolean webp(Path file) throws Failure {
        return PictureKind.of(head(file)).filter(kind -> kind == PictureKind.WEBP).isPresent();
    }

    /// @throws Failure.Unreadable if the file is missing, damaged, no picture, or of a kind nobody here can read; the message names it
    /// @throws Failure.Incompatible if the picture is enormous
    public static Picture read(Path file) throws Failure {
        PictureKind kind = kind(file);
        if (kind == PictureKind.HEIF) throw heif(file);
        ImageIO.setUseCache(false);
        try {
            return Orientation.of(file, kind).apply(stored(file, kind));
        } catch (NoSuchFileException | AccessDeniedException unopened) {
            throw unopened(file, unopened);
        } catch (IOException | RuntimeException damaged) {
            throw damaged(file, kind, damaged);
        } catch (StackOverflowError nested) {
            throw damaged(file, kind, nested);
        } catch (OutOfMemoryError memory) {
            throw new Failure.OutOfMemory(file + ": the memory did not suffice to decode this picture; make it smaller (2,000 pixels a side are plenty).", memory);
        }
    }

    /// In sRGB, not yet turned upright.
    private static Picture stored(Path file, PictureKind kind) throws IOException, Failure {
        if (kind == PictureKind.WEBP) return webp(file, WebpFile.read(file));
        if (kind == PictureKind.JPEG) JpegSegments.requireFewScans(file);
        if (kind == PictureKind.PNG) PngChunks.requireIntactPixels(file);
        try (ImageInputStream stream = kind == PictureKind.TIFF ? tiff(file) : new BufferedFileImageInputStream(file.toFile())) {
            Picture stored = decode(file, kind, stream);
            return kind == PictureKind.PNG ? Pixels.inSrgb(PngChunks.colour(file), stored) : stored;
        }
    }

    private static ImageInputStream tiff(Path file) throws IOException {
        return new FileImageInputStream(file.toFile()) {
            @Override public long length() {
                return FLAT * super.length();
            }
        };
    }

    private static Failure damaged(Path file, PictureKind kind, Throwable damaged) {
        return new Failure.Unreadable(file + ": this " + kind + " picture could not be decoded; it is damaged or was cut short ("
            + reason(damaged) + "). Copy or export it again, or take it out.", damaged);
    }

    /// What to do with a picture of Apple's kind.
    static Failure heif(Path file) {
        return new Failure.Unreadable(file + ": HEIC, HEIF and AVIF pictures cannot be read. Export it as JPEG"
            + " (on a Mac: Preview, File, Export; on an iPhone: Settings, Camera, Formats, Most Compatible) and use that file instead.");
    }

    private static PictureKind kind(Path file) throws Failure {
        // Decoders open files by name, and such a name comes back as another one.
        if (!file.toFile().toPath().equals(file)) {
            throw new Failure.Unreadable(file + ": this file's name is not in the encoding of this system, UTF-8 in most, so that it cannot be opened by its name. Rename it.");
        }
        byte[] head = head(file);
        return PictureKind.of(head).orElseThrow(() -> new Failure.Unreadable(file + ": expected a JPEG, PNG, WebP, GIF, BMP or TIFF picture, found "
            + (head.length == 0 ? "an empty file" : "something else") + ". Take it out or export it again as JPEG or PNG."));
    }

    private static byte[] head(Path file) throws Failure {
        // A pipe would be waited for.
        if (Files.exists(file) && !Files.isRegularFile(file)) throw new Failure.Unreadable(file + ": expected a picture file, found " + (Files.isDirectory(file) ? "a folder" : "a device or a pipe"));
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(PictureKind.HEAD);
        } catch (IOException missing) {
            throw unopened(file, missing);
        }
    }

    private static Failure unopened(Path file, IOException why) {
        return new Failure.Unreadable(file + ": expected a picture file, found none that can be opened (" + reason(why) + ")", why);
    }

    private static Picture decode(Path file, PictureKind kind, ImageInputStream stream) throws IOException, Failure {
        ImageReader reader = provider(kind).createReaderInstance();
        try {
            List<String> warnings = new ArrayList<>();
            reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
            reader.setInput(stream, true, kind != PictureKind.GIF);
            if (kind == PictureKind.GIF) return gif(file, reader);
            int step = step(file, reader.getWidth(0), reader.getHeight(0));
            ImageReadParam settings = reader.getDefaultReadParam();
            settings.setSourceSubsampling(step, step, step / 2, step / 2);
            BufferedImage image = reader.read(0, settings);
            for (String warning : warnings) {
                if (warning != null && warning.toLowerCase(Locale.ROOT).contains("premature")) throw new IIOException(warning);
            }
            return Pixels.of(image);
        } finally {
            reader.dispose();
        }
    }

    /// The first frame on the file's canvas.
    private static Picture gif(Path file, ImageReader reader) throws IOException, Failure {
        step(file, reader.getWidth(0), reader.getHeight(0));
        GifCanvas canvas = GifCanvas.of(reader);
        int step = step(file, canvas.width(), canvas.height());
        return canvas.compose(Pixels.of(reader.read(0))).thinned(step);
    }

    /// The bit stream by itself, then what the container says of it: opacity, colours, its place in an animation.
    private static Picture webp(Path file, WebpFile webp) throws IOException, Failure {
        WebpFile.Size size = webp.size();
        WebpFile.Size canvas = webp.canvas();
        int step = step(file, canvas.width(), canvas.height());
        Optional<byte[]> lossy = webp.simple();
        step(file, size.width(), size.height());
        Picture picture = lossy.isPresent() ? simple(lossy.get()) : new Picture(size.width(), size.height(), webp.pixels());
        Optional<byte[]> alpha = webp.alpha();
        if (alpha.isPresent()) picture = picture.withAlpha(alpha.get());
        Optional<ICC_Profile> profile = webp.profile();
        if (profile.isPresent()) picture = Pixels.through(profile.get(), picture);
        if (!size.equals(canvas)) picture = picture.on(canvas.width(), canvas.height(), webp.left(), webp.top());
        return picture.thinned(step);
    }

    private static Picture simple(byte[] webp) throws IOException {
        ImageReader reader = provider(PictureKind.WEBP).createReaderInstance();
        try (ImageInputStream stream = new ByteArrayImageInputStream(webp)) {
            reader.setInput(stream, true, true);
            return Pixels.of(reader.read(0));
        } finally {
            reader.dispose();
        }
    }

    /// Every how manieth pixel is read.
    private static int step(Path file, int width, int height) throws Failure {
        long pixels = (long) width * height;
        if (pixels > MOST_PIXELS) {
            throw new Failure.Incompatible(String.format(Locale.ROOT, "%s: expected a picture of at most %d megapixels, found %,d x %,d (%,d megapixels). Make it smaller and use that.",
                file, MOST_PIXELS / 1_000_000, width, height, pixels / 1_000_000));
        }
        int step = (int) Math.ceil(Math.sqrt((double) pixels / ENOUGH_PIXELS));
        return Math.clamp(step, 1, Math.min(width, height));
    }

    /// The reader of a kind, found without service files: they get lost where jars are merged.
    private static ImageReaderSpi provider(PictureKind kind) throws IOException {
        return switch (kind) {
            case JPEG -> registered(new JPEGImageReaderSpi());
            case WEBP -> registered(new WebPImageReaderSpi());
            case TIFF -> registered(new TIFFImageReaderSpi());
            case PNG -> builtIn("png");
            case GIF -> builtIn("gif");
            case BMP -> builtIn("bmp");
            case HEIF -> throw new IIOException("no reader");
        };
    }

    /// Registering lets the JPEG reader find the decoder under it.
    private static ImageReaderSpi registered(ImageReaderSpi fresh) {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        synchronized (Pictures.class) {
            ImageReaderSpi known = registry.getServiceProviderByClass(fresh.getClass());
            if (known != null) return known;
            registry.registerServiceProvider(fresh);
            return fresh;
        }
    }

    private static ImageReaderSpi builtIn(String format) throws IIOException {
        Iterator<ImageReaderSpi> providers = IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
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
