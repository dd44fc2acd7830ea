package atomstudio.diffusion.image;

import java.awt.color.ICC_Profile;
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

/// The container of a WebP file: its chunks, with the first frame of an animation. The bit streams in it are decoded
/// elsewhere.
/// Source: Google, WebP Container Specification.
final class WebpFile {
    private static final int CHUNK_HEADER_BYTES = 8;
    private static final int FRAME_HEADER_BYTES = 16;
    /// Of a lossless bit stream.
    private static final int VP8L_HEADER_BYTES = 5;
    /// Lossless pixels that are decoded whatever the length of their data, and more for every byte of it.
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

    /// A size in pixels.
    record Size(int width, int height) {}

    /// Checks the container: sizes that contradict each other are refused before anything is decoded or allocated.
    static WebpFile read(Path file) throws IOException {
        long length = Files.size(file);
        if (length > MAX_FILE_BYTES)
            throw new IIOException(
                    "expected at most " + (MAX_FILE_BYTES >> 20) + " MB, found " + (length >> 20) + " MB");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.limit() < 12) throw new IIOException("the file ends within its header");
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
                throw new IIOException("its chunk " + type.strip() + " is longer than the file");
            storeChunk(type, bytes.slice(at + CHUNK_HEADER_BYTES, (int) length).order(ByteOrder.LITTLE_ENDIAN),
                    at + CHUNK_HEADER_BYTES);
            at += CHUNK_HEADER_BYTES + (int) (length + (length & 1));
        }
    }

    /// The first chunk of each kind counts.
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
        if (data.limit() < FRAME_HEADER_BYTES) throw new IIOException("the head of its first frame is cut");
        left = 2 * uint24(data, 0);
        top = 2 * uint24(data, 3);
        readChunks(at + FRAME_HEADER_BYTES, at + data.limit());
    }

    private void validate() throws IIOException {
        if (!hasImage()) throw new IIOException("there is no picture in it");
        Size canvas = canvasSize();
        Size image = imageSize();
        boolean isInsideCanvas = isAnimated()
                ? left + (long) image.width <= canvas.width && top + (long) image.height <= canvas.height
                : image.equals(canvas);
        if (!isInsideCanvas) {
            throw new IIOException("its canvas is " + canvas.width + "x" + canvas.height + ", the picture in it "
                    + image.width + "x" + image.height
                    + (isAnimated() ? " at " + left + "," + top : ""));
        }
    }

    private boolean isAnimated() { return extended != null && (extended.get(0) & 2) != 0; }

    /// The size of the whole picture.
    Size canvasSize() throws IIOException {
        if (extended == null) return imageSize();
        if (extended.limit() < 10) throw new IIOException("its chunk VP8X is cut");
        return new Size(1 + uint24(extended, 4), 1 + uint24(extended, 7));
    }

    /// The size of the picture as its own bit stream has it, smaller than the canvas in some animations.
    Size imageSize() throws IIOException {
        if (lossy != null) {
            boolean isKeyFrame = lossy.limit() >= 10 && (lossy.get(0) & 1) == 0 && uint24(lossy, 3) == 0x2A019D;
            if (!isKeyFrame) throw new IIOException("its chunk VP8 does not begin with a key frame");
            return requirePositive(lossy.getShort(6) & 0x3FFF, lossy.getShort(8) & 0x3FFF);
        }
        ByteBuffer data = lossless();
        int bits = data.limit() >= VP8L_HEADER_BYTES ? data.getInt(1) : 0;
        if (data.limit() < VP8L_HEADER_BYTES || data.get(0) != 0x2F || bits >>> 29 != 0)
            throw new IIOException("its chunk VP8L does not begin with a picture's header");
        return requirePositive(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF));
    }

    private ByteBuffer lossless() {
        if (lossless == null) throw new IllegalStateException("neither lossy nor lossless");
        return lossless;
    }

    private static Size requirePositive(int width, int height) throws IIOException {
        if (width < 1 || height < 1) throw new IIOException("its picture is " + width + "x" + height);
        return new Size(width, height);
    }

    /// Where the picture's upper left corner lies on the canvas.
    int left() {
        return left;
    }

    int top() {
        return top;
    }

    /// A lossy picture's bit stream as a WebP file of its own, which decoders read without the other chunks; empty
    /// for a lossless one.
    Optional<byte[]> lossyAsWebp() {
        return Optional.ofNullable(lossy).map(data -> riff("VP8 ", bytes(data)));
    }

    /// A lossless picture's pixels.
    int[] decodeLossless() throws IOException {
        Size size = imageSize();
        byte[] data = bytes(lossless());
        long maxPixels = BASE_PIXEL_LIMIT + PIXELS_PER_BYTE * data.length;
        if ((long) size.width * size.height > maxPixels)
            throw new IIOException(
                    "its " + data.length + " bytes would become " + size.width + "x" + size.height + " pixels");
        int[] argb = Vp8lDecoder.decode(Arrays.copyOfRange(data, VP8L_HEADER_BYTES, data.length), size.width,
                size.height);
        boolean transparent = (data[4] & 0x10) != 0;
        for (int i = 0; !transparent && i < argb.length; i++) argb[i] |= 0xFF000000;
        return argb;
    }

    /// The opacity of a lossy picture, a byte a pixel; empty where it has none, or carries it in its own bit stream.
    Optional<byte[]> alpha() throws IOException {
        if (lossy == null || extended == null || alpha == null) return Optional.empty();
        return Optional.of(WebpAlpha.read(bytes(alpha), imageSize()));
    }

    /// Empty where there is none, or one that cannot be used.
    Optional<ICC_Profile> profile() {
        return profile == null ? Optional.empty() : IccProfiles.read(bytes(profile));
    }

    /// The EXIF block as it stands.
    Optional<byte[]> exif() {
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

    /// The chunk ALPH of a lossy WebP picture.
    /// Source: Google, WebP Container Specification, Alpha.
    static final class WebpAlpha {
        /// How values are predicted from their neighbours, in the order of the numbers in the file.
        private enum Filter { NONE, HORIZONTAL, VERTICAL, GRADIENT }

        private WebpAlpha() {}

        /// Opacities row by row, a byte a pixel.
        static byte[] read(byte[] chunk, WebpFile.Size size) throws IOException {
            if (chunk.length < 1) throw new IIOException("its chunk ALPH is empty");
            byte[] data = Arrays.copyOfRange(chunk, 1, chunk.length);
            byte[] stored = switch (chunk[0] & 3) {
                case 0 -> data;
                case 1 -> greenChannel(Vp8lDecoder.decode(data, size.width(), size.height()));
                default -> throw new IIOException("its chunk ALPH is compressed by an unknown method");
            };
            long pixels = (long) size.width() * size.height();
            if (stored.length < pixels)
                throw new IIOException("expected " + pixels + " values in its chunk ALPH, found " + stored.length);
            return undoFilter(Filter.values()[chunk[0] >> 2 & 3], stored, size);
        }

        private static byte[] greenChannel(int[] pixels) {
            byte[] greens = new byte[pixels.length];
            for (int i = 0; i < greens.length; i++) greens[i] = (byte) (pixels[i] >> 8);
            return greens;
        }

        /// @param stored what is left of each value when the prediction is taken from it; changed in place
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
