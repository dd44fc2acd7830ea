package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.webp.WebpFile;
import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.BufferedFileImageInputStream;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.IIOException;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// Decodes image files with ImageIO and its plug-ins, subsampling very large ones.
final class ImageDecoder {
    /// Larger images are rejected before anything is allocated.
    static final long MAX_PIXELS = 200_000_000;
    /// Larger images are subsampled while decoding; ten times the pixels of a model's input are left.
    private static final long SUBSAMPLE_FROM_PIXELS = 25_000_000;
    /// The TIFF decoder rejects images of more than 512 times the file length, but an image of a single colour may
    /// have 1,000 times that. The decoder gets a multiple of the file length.
    private static final long TIFF_LENGTH_FACTOR = 4;

    private ImageDecoder() {}

    /// The image in sRGB, not yet rotated by its EXIF orientation.
    static RgbImage decode(Path file, ImageFormat format) throws IOException, Failure {
        if (format == ImageFormat.WEBP) return decodeWebp(file, WebpFile.read(file));
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

    /// The first frame on the GIF's canvas.
    private static RgbImage decodeGif(Path file, ImageReader reader) throws IOException, Failure {
        subsampling(file, reader.getWidth(0), reader.getHeight(0));
        GifCanvas canvas = GifCanvas.of(reader);
        int subsampling = subsampling(file, canvas.width, canvas.height);
        return canvas.compose(SrgbConverter.convert(reader.read(0))).subsample(subsampling);
    }

    /// Decodes the bit stream, then applies the container's alpha, colour profile and canvas.
    private static RgbImage decodeWebp(Path file, WebpFile webp) throws IOException, Failure {
        WebpFile.Size size = webp.imageSize();
        WebpFile.Size canvas = webp.canvasSize();
        int subsampling = subsampling(file, canvas.width(), canvas.height());
        Optional<byte[]> lossy = webp.lossyAsWebp();
        subsampling(file, size.width(), size.height());
        RgbImage image = lossy.isPresent() ? decodeLossyWebp(lossy.get())
                : new RgbImage(size.width(), size.height(), webp.decodeLossless());
        Optional<byte[]> alpha = webp.alpha();
        if (alpha.isPresent()) image = image.withAlpha(alpha.get());
        Optional<ICC_Profile> profile = webp.iccProfile().flatMap(SrgbConverter::readProfile);
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

    /// The subsampling factor of an image.
    /// @throws Failure.Incompatible when it has too many pixels
    private static int subsampling(Path file, int width, int height) throws Failure {
        long pixels = (long) width * height;
        if (pixels > MAX_PIXELS) {
            throw new Failure.Incompatible(String.format(Locale.ROOT,
                    "%s: expected an image of at most %d megapixels, found %,d x %,d (%,d megapixels). "
                            + "Make it smaller and use that.",
                    file, MAX_PIXELS / 1_000_000, width, height, pixels / 1_000_000));
        }
        int subsampling = (int) Math.ceil(Math.sqrt((double) pixels / SUBSAMPLE_FROM_PIXELS));
        return Math.clamp(subsampling, 1, Math.min(width, height));
    }

    /// The ImageIO provider of a format, created without service files, which get lost where jars are merged.
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

    /// Registers a provider; the JPEG provider finds its delegate only when registered.
    private static ImageReaderSpi register(ImageReaderSpi provider) {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        synchronized (ImageDecoder.class) {
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

    /// The canvas of a GIF and the position of its first frame on it; transparent around the frame.
    /// Source: CompuServe, GIF89a specification, 18 and 20.
    private record GifCanvas(int width, int height, int left, int top) {
        /// Enlarged where the frame exceeds the declared canvas.
        static GifCanvas of(ImageReader reader) throws IOException {
            Element screen = child(reader.getStreamMetadata(), "LogicalScreenDescriptor");
            Element frame = child(reader.getImageMetadata(0), "ImageDescriptor");
            int left = intAttribute(frame, "imageLeftPosition");
            int top = intAttribute(frame, "imageTopPosition");
            int width = Math.max(intAttribute(screen, "logicalScreenWidth"), left + reader.getWidth(0));
            int height = Math.max(intAttribute(screen, "logicalScreenHeight"), top + reader.getHeight(0));
            return new GifCanvas(width, height, left, top);
        }

        RgbImage compose(RgbImage frame) {
            return width == frame.width() && height == frame.height() ? frame
                    : frame.pasteOnCanvas(width, height, left, top);
        }

        private static Element child(IIOMetadata metadata, String name) throws IIOException {
            Element root = (Element) metadata.getAsTree(metadata.getNativeMetadataFormatName());
            NodeList found = root.getElementsByTagName(name);
            if (found.getLength() == 0) throw new IIOException("it has no " + name);
            return (Element) found.item(0);
        }

        private static int intAttribute(Element element, String attribute) {
            String value = element.getAttribute(attribute);
            return value.isEmpty() ? 0 : Integer.parseInt(value);
        }
    }
}
