package atomstudio.diffusion.image.webp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import javax.imageio.IIOException;
import org.jspecify.annotations.Nullable;

/// Parses the container of a WebP file, of an animation only the first frame. Lossless images and alpha are decoded
/// here; lossy images are extracted for another decoder.
/// Source: Google, WebP Container Specification.
public final class WebpFile {
    private static final int CHUNK_HEADER_BYTES = 8;
    private static final int FRAME_HEADER_BYTES = 16;
    private static final int VP8L_HEADER_BYTES = 5;
    /// Limit on the pixels of a lossless image, and the increase of the limit per byte of data.
    private static final long BASE_PIXEL_LIMIT = 100_000_000;
    private static final long PIXELS_PER_BYTE = 1_000;
    private static final long MAX_FILE_BYTES = 1L << 29;

    private final ByteBuffer bytes;
    private @Nullable ByteBuffer extended;
    private @Nullable ByteBuffer lossy;
    private @Nullable ByteBuffer lossless;
    private @Nullable ByteBuffer alpha;
    private @Nullable ByteBuffer profile;
    private @Nullable ByteBuffer exif;
    private int left;
    private int top;

    private WebpFile(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /// In pixels.
    public record Size(int width, int height) {}

    /// Parses a file; inconsistent sizes are rejected before anything is decoded.
    public static WebpFile read(Path file) throws IOException {
        long length = Files.size(file);
        if (length > MAX_FILE_BYTES)
            throw new IIOException(
                    "expected at most " + (MAX_FILE_BYTES >> 20) + " MB, found " + (length >> 20) + " MB");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.limit() < 12) throw new IIOException("the file is truncated within its header");
        long expected = CHUNK_HEADER_BYTES + (bytes.getInt(4) & 0xFFFFFFFFL);
        if (bytes.limit() < expected) throw new IIOException("expected " + expected + " bytes, found " + bytes.limit());
        if (expected < 12) throw new IIOException("its header gives a length of " + expected + " bytes");
        WebpFile webp = new WebpFile(bytes);
        webp.readChunks(12, (int) expected);
        webp.validate();
        return webp;
    }

    private void readChunks(int from, int to) throws IIOException {
        int at = from;
        while (at + CHUNK_HEADER_BYTES <= to) {
            String type = new String(bytes.array(), at, 4, StandardCharsets.ISO_8859_1);
            long length = bytes.getInt(at + 4) & 0xFFFFFFFFL;
            if (length > to - at - CHUNK_HEADER_BYTES)
                throw new IIOException("its " + type.strip() + " chunk is longer than the file");
            storeChunk(type, bytes.slice(at + CHUNK_HEADER_BYTES, (int) length).order(ByteOrder.LITTLE_ENDIAN),
                    at + CHUNK_HEADER_BYTES);
            at += CHUNK_HEADER_BYTES + (int) (length + (length & 1));
        }
    }

    /// The first chunk of each type counts.
    private void storeChunk(String type, ByteBuffer data, int at) throws IIOException {
        switch (type) {
            case "VP8X" -> extended = extended == null ? data : extended;
            case "VP8 " -> lossy = hasImage() ? lossy : data;
            case "VP8L" -> lossless = hasImage() ? lossless : data;
            case "ALPH" -> alpha = alpha == null ? data : alpha;
            case "ICCP" -> profile = profile == null ? data : profile;
            case "EXIF" -> exif = exif == null ? data : exif;
            case "ANMF" -> readFirstFrame(data, at);
            default -> {}
        }
    }

    private boolean hasImage() {
        return lossy != null || lossless != null;
    }

    private void readFirstFrame(ByteBuffer data, int at) throws IIOException {
        if (hasImage()) return;
        if (data.limit() < FRAME_HEADER_BYTES) throw new IIOException("the header of its first frame is truncated");
        left = 2 * uint24(data, 0);
        top = 2 * uint24(data, 3);
        readChunks(at + FRAME_HEADER_BYTES, at + data.limit());
    }

    private void validate() throws IIOException {
        if (!hasImage()) throw new IIOException("it has no image");
        Size canvas = canvasSize();
        Size image = imageSize();
        boolean isInsideCanvas = isAnimated()
                ? left + (long) image.width <= canvas.width && top + (long) image.height <= canvas.height
                : image.equals(canvas);
        if (!isInsideCanvas) {
            throw new IIOException("its canvas is " + canvas.width + "x" + canvas.height + ", its image "
                    + image.width + "x" + image.height
                    + (isAnimated() ? " at " + left + "," + top : ""));
        }
    }

    private boolean isAnimated() { return extended != null && (extended.get(0) & 2) != 0; }

    /// The size of the canvas, which is the size of the whole image.
    public Size canvasSize() throws IIOException {
        if (extended == null) return imageSize();
        if (extended.limit() < 10) throw new IIOException("its VP8X chunk is truncated");
        return new Size(1 + uint24(extended, 4), 1 + uint24(extended, 7));
    }

    /// The size in the bit stream, which is smaller than the canvas in some animations.
    public Size imageSize() throws IIOException {
        if (lossy != null) {
            boolean isKeyFrame = lossy.limit() >= 10 && (lossy.get(0) & 1) == 0 && uint24(lossy, 3) == 0x2A019D;
            if (!isKeyFrame) throw new IIOException("its VP8 chunk does not start with a key frame");
            return requirePositive(lossy.getShort(6) & 0x3FFF, lossy.getShort(8) & 0x3FFF);
        }
        ByteBuffer data = lossless();
        int bits = data.limit() >= VP8L_HEADER_BYTES ? data.getInt(1) : 0;
        if (data.limit() < VP8L_HEADER_BYTES || data.get(0) != 0x2F || bits >>> 29 != 0)
            throw new IIOException("its VP8L chunk does not start with an image header");
        return requirePositive(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF));
    }

    private ByteBuffer lossless() {
        if (lossless == null) throw new IllegalStateException("neither lossy nor lossless");
        return lossless;
    }

    private static Size requirePositive(int width, int height) throws IIOException {
        if (width < 1 || height < 1) throw new IIOException("its image size is " + width + "x" + height);
        return new Size(width, height);
    }

    /// Horizontal position of the image on the canvas.
    public int left() {
        return left;
    }

    public int top() {
        return top;
    }

    /// A lossy image as a minimal WebP file without the other chunks; empty for a lossless one.
    public Optional<byte[]> lossyAsWebp() {
        return Optional.ofNullable(lossy).map(data -> riff("VP8 ", bytes(data)));
    }

    /// Decodes a lossless image.
    /// @return ARGB, row-major
    public int[] decodeLossless() throws IOException {
        Size size = imageSize();
        byte[] data = bytes(lossless());
        long maxPixels = BASE_PIXEL_LIMIT + PIXELS_PER_BYTE * data.length;
        if ((long) size.width * size.height > maxPixels)
            throw new IIOException(
                    "its " + data.length + " bytes would expand to " + size.width + "x" + size.height + " pixels");
        int[] argb = Vp8lDecoder.decode(Arrays.copyOfRange(data, VP8L_HEADER_BYTES, data.length), size.width,
                size.height);
        boolean transparent = (data[4] & 0x10) != 0;
        for (int i = 0; !transparent && i < argb.length; i++) argb[i] |= 0xFF000000;
        return argb;
    }

    /// The separate alpha channel of a lossy image, one byte per pixel; empty if it has none.
    public Optional<byte[]> alpha() throws IOException {
        if (lossy == null || extended == null || alpha == null) return Optional.empty();
        return Optional.of(WebpAlpha.read(bytes(alpha), imageSize()));
    }

    public Optional<byte[]> iccProfile() {
        return Optional.ofNullable(profile).map(WebpFile::bytes);
    }

    public Optional<byte[]> exif() {
        return Optional.ofNullable(exif).map(WebpFile::bytes);
    }

    private static byte[] riff(String type, byte[] data) {
        ByteBuffer file = ByteBuffer.allocate(12 + CHUNK_HEADER_BYTES + data.length + (data.length & 1))
                .order(ByteOrder.LITTLE_ENDIAN);
        file.put("RIFF".getBytes(StandardCharsets.ISO_8859_1))
                .putInt(file.capacity() - CHUNK_HEADER_BYTES)
                .put("WEBP".getBytes(StandardCharsets.ISO_8859_1));
        return file.put(type.getBytes(StandardCharsets.ISO_8859_1)).putInt(data.length).put(data).array();
    }

    private static byte[] bytes(ByteBuffer chunk) {
        return Arrays.copyOfRange(chunk.array(), chunk.arrayOffset(), chunk.arrayOffset() + chunk.limit());
    }

    private static int uint24(ByteBuffer data, int at) {
        return data.get(at) & 0xFF | (data.get(at + 1) & 0xFF) << 8 | (data.get(at + 2) & 0xFF) << 16;
    }

    /// Decodes the ALPH chunk of a lossy image.
    /// Source: Google, WebP Container Specification, Alpha.
    static final class WebpAlpha {
        /// How values are predicted from their neighbours, in the order of the format's codes.
        private enum Filter { NONE, HORIZONTAL, VERTICAL, GRADIENT }

        private WebpAlpha() {}

        /// Alpha values, row-major, one byte per pixel.
        static byte[] read(byte[] chunk, WebpFile.Size size) throws IOException {
            if (chunk.length < 1) throw new IIOException("its ALPH chunk is empty");
            byte[] data = Arrays.copyOfRange(chunk, 1, chunk.length);
            byte[] stored = switch (chunk[0] & 3) {
                case 0 -> data;
                case 1 -> greenChannel(Vp8lDecoder.decode(data, size.width(), size.height()));
                default -> throw new IIOException("its ALPH chunk has an unknown compression method");
            };
            long pixels = (long) size.width() * size.height();
            if (stored.length < pixels)
                throw new IIOException("its ALPH chunk: expected " + pixels + " values, found " + stored.length);
            return undoFilter(Filter.values()[chunk[0] >> 2 & 3], stored, size);
        }

        private static byte[] greenChannel(int[] pixels) {
            byte[] greens = new byte[pixels.length];
            for (int i = 0; i < greens.length; i++) greens[i] = (byte) (pixels[i] >> 8);
            return greens;
        }

        /// @param stored the values minus their predictions; changed in place
        private static byte[] undoFilter(Filter filter, byte[] stored, WebpFile.Size size) {
            int width = size.width();
            for (int i = 1; filter != Filter.NONE && i < width * size.height(); i++) {
                stored[i] += (byte) (i < width ? stored[i - 1] : i % width == 0 ? stored[i - width]
                        : predict(filter, stored, i, width));
            }
            return stored;
        }

        private static int predict(Filter filter, byte[] values, int i, int width) {
            int left = values[i - 1] & 0xFF;
            int above = values[i - width] & 0xFF;
            return switch (filter) {
                case NONE -> 0;
                case HORIZONTAL -> left;
                case VERTICAL -> above;
                case GRADIENT -> Math.clamp(left + above - (values[i - width - 1] & 0xFF), 0, 255);
            };
        }
    }
}
