package atomstudio.diffusion.picture;

import atomstudio.diffusion.Failure;
import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.BufferedFileImageInputStream;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;

/// Reads picture files: JPEG, PNG, WebP, GIF (its first frame), BMP, TIFF, told by their bytes; upright, in sRGB.
public final class Pictures {
    /// Pictures with more pixels are refused before anything is allocated.
    public static final long MOST_PIXELS = 200_000_000;
    /// Pictures with more pixels are thinned out while they are read; ten times what a model sees is left.
    private static final long ENOUGH_PIXELS = 25_000_000;

    private Pictures() {}

    /// @throws Failure.Unreadable if the file is missing, damaged, no picture, or of a kind nobody here can read; the message names it
    /// @throws Failure.Incompatible if the picture is enormous
    public static Picture read(Path file) throws Failure {
        PictureKind kind = kind(file);
        if (kind == PictureKind.HEIF) throw heif(file);
        ImageIO.setUseCache(false);
        try (ImageInputStream stream = new BufferedFileImageInputStream(file.toFile())) {
            Picture stored = decode(file, kind, stream);
            Optional<ICC_Profile> profile = kind == PictureKind.PNG ? PngChunks.profile(file) : Optional.empty();
            Picture inSrgb = profile.isPresent() ? Pixels.through(profile.get(), stored) : stored;
            return Orientation.of(file).apply(inSrgb);
        } catch (IOException | RuntimeException damaged) {
            throw new Failure.Unreadable(file + ": this " + kind + " picture could not be decoded; it is damaged or was cut short ("
                + reason(damaged) + "). Copy or export it again, or take it out.", damaged);
        } catch (OutOfMemoryError memory) {
            throw new Failure.OutOfMemory(file + ": the memory did not suffice to decode this picture; make it smaller (2,000 pixels a side are plenty).", memory);
        }
    }

    /// What to do with a picture of Apple's kind.
    static Failure heif(Path file) {
        return new Failure.Unreadable(file + ": HEIC, HEIF and AVIF pictures cannot be read. Export it as JPEG"
            + " (on a Mac: Preview, File, Export; on an iPhone: Settings, Camera, Formats, Most Compatible) and use that file instead.");
    }

    private static PictureKind kind(Path file) throws Failure {
        byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(PictureKind.HEAD);
        } catch (IOException missing) {
            throw new Failure.Unreadable(file + ": expected a picture file, found none that can be opened (" + reason(missing) + ").", missing);
        }
        return PictureKind.of(head).orElseThrow(() -> new Failure.Unreadable(file + ": expected a JPEG, PNG, WebP, GIF, BMP or TIFF picture, found "
            + (head.length == 0 ? "an empty file" : "something else") + ". Take it out or export it again as JPEG or PNG."));
    }

    private static Picture decode(Path file, PictureKind kind, ImageInputStream stream) throws IOException, Failure {
        ImageReader reader = provider(kind).createReaderInstance();
        try {
            List<String> warnings = new ArrayList<>();
            reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
            if (kind == PictureKind.WEBP) requireWhole(stream);
            stream.seek(0);
            reader.setInput(stream, true, kind != PictureKind.GIF);
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

    /// The WebP decoder fills up what is missing with nothing; the container says how long the file should be.
    private static void requireWhole(ImageInputStream stream) throws IOException {
        byte[] head = new byte[8];
        stream.seek(0);
        stream.readFully(head);
        long expected = 8 + (ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(4) & 0xFFFFFFFFL);
        if (stream.length() < expected) throw new IIOException("expected " + expected + " bytes, found " + stream.length());
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
