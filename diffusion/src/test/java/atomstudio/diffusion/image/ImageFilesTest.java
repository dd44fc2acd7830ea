package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFilesTest {
    @ParameterizedTest
    @ValueSource(strings = {"rgb.jpg", "rgb-16.png", "palette.png", "lossy.webp", "frame.gif", "rgb.bmp", "lzw.tif"})
    void readsEveryFormat(String name) throws Failure {
        SampleImages.assertScene(name, SampleImages.read(name), 12);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cmyk.jpg", "ycck.jpg", "cmyk.tif"})
    void readsCmyk(String name) throws Failure {
        SampleImages.assertScene(name, SampleImages.read(name), 40);
    }

    @ParameterizedTest
    @ValueSource(strings = {"exif-1.jpg", "exif-2.jpg", "exif-3.jpg", "exif-4.jpg", "exif-5.jpg", "exif-6.jpg",
            "exif-7.jpg", "exif-8.jpg",
            "exif-6.png", "exif-6.webp", "exif-6.tif"})
    void appliesExifOrientation(String name) throws Failure {
        SampleImages.assertScene(name, SampleImages.read(name), 12);
    }

    @ParameterizedTest
    @ValueSource(strings = {"profile.jpg", "profile.png"})
    void appliesIccProfile(String name) throws Failure {
        SampleImages.assertScene(name, SampleImages.read(name), 16);
    }

    @Test
    void readsTransparency() throws Failure {
        for (String name : new String[] {"alpha.png", "alpha.webp"}) {
            RgbImage image = SampleImages.read(name);
            assertEquals(0, image.argb()[0] >>> 24, name);
            SampleImages.assertPixel(name, image.toOpaque(), 0, 0, 0x808080, 0);
            SampleImages.assertPixel(name, image, 20, 15, 0xFAFAFA, 0);
        }
    }

    @Test
    void keepsGreyLevels() throws Failure {
        RgbImage eight = SampleImages.read("grey.png");
        RgbImage sixteen = SampleImages.read("grey-16.png");
        RgbImage withAlpha = SampleImages.read("grey-alpha.png");
        for (int y = 0; y < SampleImages.HEIGHT; y++) {
            for (int x = 0; x < SampleImages.WIDTH; x++) {
                int at = y * SampleImages.WIDTH + x;
                assertEquals(Math.min(65535, at * 170) * 255 / 65535.0, sixteen.argb()[at] & 0xFF, 0.5,
                        "16 bit at " + at);
                assertEquals(eight.argb()[at], withAlpha.argb()[at]);
            }
        }
        assertEquals(8, eight.argb()[0] & 0xFF, 8);
        assertEquals(0x7F, eight.argb()[8 * SampleImages.WIDTH] & 0xFF, 16);
    }

    @Test
    void keepsGreyLevelsOfJpeg() throws Failure {
        SampleImages.assertPixel("grey.jpg", SampleImages.read("grey.jpg"), 4, 4, 0x595959, 3);
    }

    @Test
    void rejectsHeicWithInstructions(@TempDir Path folder) throws IOException {
        Path disguised = Files.copy(SampleImages.file("apple.heic"), folder.resolve("holiday.jpg"));
        String message = assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(disguised)).getMessage();
        assertTrue(message.contains("holiday.jpg") && message.contains("JPEG"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rgb.jpg", "cmyk.jpg", "lanczos-50x61.png", "grey.png", "lossy.webp", "alpha.webp",
            "frame.gif", "rgb.bmp", "lzw.tif", "exif-6.tif"})
    void rejectsTruncatedFiles(String name, @TempDir Path folder) throws IOException {
        byte[] whole = Files.readAllBytes(SampleImages.file(name));
        for (int length : new int[] {whole.length / 4, whole.length / 3, whole.length / 2}) {
            Path truncated = Files.write(folder.resolve("cut-" + length + "-" + name), Arrays.copyOf(whole, length));
            String message = assertThrows(Failure.class, () -> ImageFiles.read(truncated), truncated.toString())
                    .getMessage();
            assertTrue(message.contains(truncated.getFileName().toString()), message);
        }
    }

    @Test
    void rejectsTruncatedWebp(@TempDir Path folder) throws IOException {
        byte[] whole = Files.readAllBytes(SampleImages.file("alpha.webp"));
        Path truncated = Files.write(folder.resolve("truncated.webp"), Arrays.copyOf(whole, whole.length - 2));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(truncated)).getMessage()
                .contains("expected 98 bytes, found 96"));
    }

    @Test
    void rejectsOtherFiles(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("notes.png"), "milk, eggs, a picture frame");
        assertTrue(
                assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(text)).getMessage().contains("notes.png"));
        Path empty = Files.createFile(folder.resolve("empty.png"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(empty)).getMessage().contains("empty"));
        assertTrue(
                assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(folder.resolve("gone.png"))).getMessage()
                        .contains("gone.png"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(folder)).getMessage()
                .contains("found a folder"));
    }

    @Test
    void rejectsHugeImageBeforeAllocating(@TempDir Path folder) throws IOException {

        Path huge = folder.resolve("huge.png");
        byte[] chunk = PngBytes.header(60_000, 50_000, 2);
        byte[] pixels = PngChunks.encodeChunk("IDAT", new byte[] {0x78, (byte) 0x9C});
        byte[] end = PngChunks.encodeChunk("IEND", new byte[0]);
        Files.write(huge,
                ByteBuffer.allocate(8 + chunk.length + pixels.length + end.length)
                        .put(PngChunks.SIGNATURE)
                        .put(chunk)
                        .put(pixels)
                        .put(end)
                        .array());
        String message = assertThrows(Failure.Incompatible.class, () -> ImageFiles.read(huge)).getMessage();
        assertTrue(message.contains("huge.png") && message.contains("60,000 x 50,000")
                && message.contains("3,000 megapixels"), message);
    }

    @Test
    void subsamplesLargeImages(@TempDir Path folder) throws Failure {
        Path large = folder.resolve("large.png");
        PngWriter.write(large, RgbImage.filled(6000, 5000, 0x3366CC), Map.of());
        RgbImage read = ImageFiles.read(large);
        assertEquals(3000, read.width());
        assertEquals(2500, read.height());
        SampleImages.assertPixel("large", read, 1500, 1200, 0x3366CC, 0);
    }

    @Test
    void placesGifFrameOnCanvas(@TempDir Path folder) throws IOException, Failure {
        byte[] gif = Files.readAllBytes(SampleImages.file("frame.gif"));
        // The canvas size is in the header, the frame position after the comma that starts the frame.
        gif[6] = 40;
        gif[8] = 30;
        int frame = 13 + 3 * (2 << (gif[10] & 7));
        while (gif[frame] != ',') frame++;
        gif[frame + 1] = 5;
        gif[frame + 3] = 7;
        RgbImage image = ImageFiles.read(Files.write(folder.resolve("offset.gif"), gif));
        assertEquals(40, image.width());
        assertEquals(30, image.height());
        assertEquals(0, image.argb()[0] >>> 24);
        SampleImages.assertScene("offset", image.crop(5, 7, SampleImages.WIDTH, SampleImages.HEIGHT), 12);
        RgbImage given = ImageFiles.read(Shared.file("cases/gif-first-frame-smaller/offset.gif"));
        assertEquals(40, given.width());
        assertEquals(30, given.height());
    }

    @Test
    void rejectsJpegOfManyScans(@TempDir Path folder) throws IOException {
        byte[] jpeg = Files.readAllBytes(SampleImages.file("rgb.jpg"));
        int scan = 0;
        while ((jpeg[scan] & 0xFF) != 0xFF || (jpeg[scan + 1] & 0xFF) != 0xDA) scan++;
        ByteArrayOutputStream many = new ByteArrayOutputStream();
        many.write(jpeg, 0, scan);
        for (int i = 0; i < 5000; i++) many.write(jpeg, scan, 14);
        many.write(jpeg, scan, jpeg.length - scan);
        Path file = Files.write(folder.resolve("scans.jpg"), many.toByteArray());
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(file)).getMessage().contains("scans"));
    }

    @Test
    void rejectsDecompressionBombs(@TempDir Path folder) throws IOException {
        byte[] jpeg = Files.readAllBytes(SampleImages.file("rgb.jpg"));
        int frame = 0;
        while ((jpeg[frame] & 0xFF) != 0xFF || (jpeg[frame + 1] & 0xFF) != 0xC0) frame++;
        int scan = frame;
        while ((jpeg[scan] & 0xFF) != 0xFF || (jpeg[scan + 1] & 0xFF) != 0xDA) scan++;
        ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 12_400).putShort(frame + 7, (short) 16_000);
        ByteArrayOutputStream many = new ByteArrayOutputStream();
        many.write(jpeg, 0, scan);
        for (int i = 0; i < 40; i++) many.write(jpeg, scan, 14);
        many.write(jpeg, scan, jpeg.length - scan);
        byte[] one = HexFormat.of()
                .parseHex("524946461800000057454250" + "5650384c0c000000" + "2f4b400600e8644daad9ff00");
        // Width - 1 and height - 1, 14 bits each, after the first byte of the bit stream.
        ByteBuffer.wrap(one).order(ByteOrder.LITTLE_ENDIAN).putInt(21, 15_999 | 12_399 << 14);
        byte[] png = png(16_000, 12_400);
        for (Map.Entry<String, byte[]> file : Map
                .of("scans.jpg", many.toByteArray(), "one.webp", one, "nothing.png", png)
                .entrySet()) {
            Path written = Files.write(folder.resolve(file.getKey()), file.getValue());
            String message = assertTimeoutPreemptively(Duration.ofSeconds(5),
                    () -> assertThrows(Failure.Unreadable.class, () -> ImageFiles.read(written))).getMessage();
            assertTrue(message.contains(file.getKey()) && message.contains("bytes"), message);
        }
    }

    /// A PNG header for 24 bits per pixel with almost no data.
    private static byte[] png(int width, int height) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(PngChunks.SIGNATURE);
        file.writeBytes(PngBytes.header(width, height, 2));
        file.writeBytes(PngChunks.encodeChunk("IDAT", PngBytes.deflated(new byte[1 << 20])));
        return file.toByteArray();
    }

    @Test
    void readsHighlyCompressedTiff(@TempDir Path folder) throws IOException, Failure {
        byte[] strip = PngBytes.deflated(new byte[2000 * 2000]);
        // Tags with one value each: size, bits, Deflate, black is zero, the offset and length of one strip.
        int[][] tags = {{256, 2000}, {257, 2000}, {258, 8}, {259, 8}, {262, 1}, {273, 8 + 2 + 9 * 12 + 4}, {277, 1},
                {278, 2000}, {279, strip.length}};
        ByteBuffer tiff = ByteBuffer.allocate(tags[5][1] + strip.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {'I', 'I', 42, 0})
                .putInt(8)
                .putShort((short) tags.length);
        for (int[] tag : tags) tiff.putShort((short) tag[0]).putShort((short) 4).putInt(1).putInt(tag[1]);
        Path file = Files.write(folder.resolve("flat.tif"), tiff.putInt(0).put(strip).array());
        assertTrue(Files.size(file) * 512 < 4_000_000, "smaller than the decoder's limit: " + Files.size(file));
        assertEquals(0xFF000000, ImageFiles.read(file).argb()[3_999_999]);
    }

    @Test
    void hasImageExtensionKnowsRareExtensions() {
        for (String name : new String[] {"a.jfif", "a.JPE", "a.jif", "a.dib", "a.pjpeg"})
            assertTrue(ImageFiles.hasImageExtension(Path.of(name)), name);
        assertFalse(ImageFiles.hasImageExtension(Path.of("a.txt")));
        assertTrue(ImageFormat.extensions().containsAll(List.of("jfif", "jpe", "png", "webp", "heic")));
    }
}
