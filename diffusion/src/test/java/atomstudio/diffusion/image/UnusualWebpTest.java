package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The expected values are those of Pillow and libwebp.
class UnusualWebpTest {
    @TempDir
    Path folder;

    private Path file(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "odd", ".webp"), bytes);
    }

    private static byte[] chunk(String type, byte... data) {
        ByteBuffer chunk = ByteBuffer.allocate(8 + data.length + (data.length & 1)).order(ByteOrder.LITTLE_ENDIAN);
        return chunk.put(type.getBytes(StandardCharsets.ISO_8859_1)).putInt(data.length).put(data).array();
    }

    private static byte[] webp(byte[]... chunks) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] chunk : chunks) all.writeBytes(chunk);
        return ByteBuffer.allocate(12 + all.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("RIFF".getBytes(StandardCharsets.ISO_8859_1))
                .putInt(4 + all.size())
                .put("WEBP".getBytes(StandardCharsets.ISO_8859_1))
                .put(all.toByteArray())
                .array();
    }

    private static byte[] extended(int flags, int width, int height) {
        return chunk("VP8X", (byte) flags, (byte) 0, (byte) 0, (byte) 0, (byte) (width - 1), (byte) (width - 1 >> 8),
                (byte) (width - 1 >> 16),
                (byte) (height - 1), (byte) (height - 1 >> 8), (byte) (height - 1 >> 16));
    }

    /// The VP8 chunk of the lossy sample, 24x16.
    private static byte[] lossy() throws IOException {
        byte[] file = Files.readAllBytes(SampleImages.file("lossy.webp"));
        return Arrays.copyOfRange(file, 12, file.length);
    }

    private static final int PIXELS = SampleImages.WIDTH * SampleImages.HEIGHT;

    @Test
    void readsUncompressedAlphaWithEachFilter() throws IOException, Failure {
        int[] expected = new int[PIXELS];
        for (int i = 0; i < PIXELS; i++) expected[i] = i * 7 + i / SampleImages.WIDTH * 31 & 0xFF;
        for (int filter = 0; filter < 4; filter++) {
            byte[] stored = new byte[1 + PIXELS];
            stored[0] = (byte) (filter << 2);
            for (int i = 0; i < PIXELS; i++) stored[1 + i] = (byte) (expected[i] - predicted(expected, i, filter));
            RgbImage image = ImageFiles.read(file(
                    webp(extended(0x10, SampleImages.WIDTH, SampleImages.HEIGHT), chunk("ALPH", stored), lossy())));
            SampleImages.assertScene("filter " + filter, image, 12);
            for (int i = 0; i < PIXELS; i++)
                assertEquals(expected[i], image.argb()[i] >>> 24, "filter " + filter + " at " + i);
        }
    }

    /// The alpha filters of the specification.
    private static int predicted(int[] values, int i, int filter) {
        int width = SampleImages.WIDTH;
        int x = i % width;
        int y = i / width;
        if (filter == 0 || i == 0) return 0;
        if (y == 0) return values[i - 1];
        if (x == 0) return values[i - width];
        return switch (filter) {
            case 1 -> values[i - 1];
            case 2 -> values[i - width];
            default -> Math.clamp(values[i - 1] + values[i - width] - values[i - width - 1], 0, 255);
        };
    }

    @ParameterizedTest
    @CsvSource({"webp-alpha-lost/raw-alpha.webp, 129.222, 506994", "webp-alpha-lost/soft.webp, 98.176, 1145568"})
    void alphaMatchesPillow(String name, double mean, long sum) throws Failure {
        RgbImage image = ImageFiles.read(Shared.file("cases/" + name));
        long total = 0;
        long weighted = 0;
        for (int i = 0; i < image.argb().length; i++) {
            total += image.argb()[i] >>> 24;
            weighted += (long) (image.argb()[i] >>> 24) * i % 251;
        }
        assertEquals(mean, total / (double) image.argb().length, 0.001);
        assertEquals(sum, weighted);
    }

    @ParameterizedTest
    @CsvSource({"webp-lossy-misread/d01.webp, 121.406, 128.38, 190.071",
            "webp-lossy-misread/d18.webp, 210.209, 116.053, 82.125", "inspect-a-jpeg/b.webp, 156.094, 64.078, 249.938",
            "webp-lossless-one-colour/one-327x9.webp, 158, 35, 104",
            "webp-lossless-one-colour/one-75x48.webp, 220, 178, 241",
            "webp-lossless-one-colour/one-76x26.webp, 38, 147, 154",
            "webp-lossless-one-colour/one-82x137.webp, 38, 200, 101", "webp-bad-icc/bad.webp, 206.887, 20.979, 44.959"})
    void coloursMatchPillow(String name, double red, double green, double blue) throws Failure {
        RgbImage image = ImageFiles.read(Shared.file("cases/" + name));
        double[] sums = new double[3];
        for (int pixel : image.argb())
            for (int channel = 0; channel < 3; channel++) sums[channel] += pixel >> 16 - 8 * channel & 0xFF;
        double[] expected = {red, green, blue};
        for (int channel = 0; channel < 3; channel++)
            assertEquals(expected[channel], sums[channel] / image.argb().length, 1, "channel " + channel);
    }

    /// For files named soft only alpha is compared: lossy colours may differ slightly.
    @Test
    void losslessImagesAndAlphaAreExact() throws IOException, Failure {
        for (String line : Files.readAllLines(SampleImages.file("webp/list.txt"))) {
            String[] parts = line.split(" ");
            RgbImage image = SampleImages.read("webp/" + parts[0]);
            ByteBuffer values = ByteBuffer.allocate(4 * image.argb().length);
            for (int pixel : image.argb()) {
                if (!parts[0].startsWith("soft"))
                    values.put((byte) (pixel >> 16)).put((byte) (pixel >> 8)).put((byte) pixel);
                values.put((byte) (pixel >>> 24));
            }
            CRC32 sum = new CRC32();
            sum.update(values.flip());
            assertEquals(Long.parseLong(parts[1]), sum.getValue(), parts[0]);
        }
    }

    @Test
    void readsLosslessImageOfOneColour() throws IOException, Failure {
        byte[] one = HexFormat.of().parseHex("2f4b400600e8644daad9ff00");
        RgbImage image = ImageFiles.read(file(webp(chunk("VP8L", one))));
        assertEquals(76, image.width());
        assertEquals(26, image.height());
        for (int pixel : image.argb()) assertEquals(0xFF26939A, pixel);
    }

    @Test
    void ignoresUnusableProfile() throws IOException, Failure {
        SampleImages.assertScene("garbage", ImageFiles.read(file(
                webp(extended(0x20, SampleImages.WIDTH, SampleImages.HEIGHT), chunk("ICCP", new byte[300]), lossy()))),
                12);
    }

    @Test
    void rejectsCanvasOfAnotherSize() throws IOException {
        Path large = file(webp(extended(0, 1 << 23, 16), lossy()));
        Path other = file(webp(extended(0, SampleImages.WIDTH, SampleImages.HEIGHT + 1), lossy()));
        for (Path file : new Path[] {large, other}) {
            String message = assertTimeoutPreemptively(Duration.ofSeconds(5),
                    () -> assertThrows(Failure.class, () -> ImageFiles.read(file))).getMessage();
            assertTrue(message.contains("canvas") && message.contains("24x16"), message);
        }
        Path hang = Shared.file("cases/faults/hang-one-bit.webp");
        assertTimeoutPreemptively(Duration.ofSeconds(5),
                () -> assertThrows(Failure.class, () -> ImageFiles.read(hang)));
    }

    @Test
    void readsFirstFrameOfAnimationOnItsCanvas() throws IOException, Failure {
        byte[] header = new byte[16];
        header[0] = 2;
        header[3] = 3;
        header[6] = SampleImages.WIDTH - 1;
        header[9] = SampleImages.HEIGHT - 1;
        byte[] frame = ByteBuffer.allocate(header.length + lossy().length).put(header).put(lossy()).array();
        RgbImage image = ImageFiles
                .read(file(webp(extended(2, 40, 30), chunk("ANIM", new byte[6]), chunk("ANMF", frame))));
        assertEquals(40, image.width());
        assertEquals(30, image.height());
        assertEquals(0, image.argb()[0] >>> 24);
        SampleImages.assertScene("frame", image.crop(4, 6, SampleImages.WIDTH, SampleImages.HEIGHT), 12);
        Path beyond = file(webp(extended(2, 26, 30), chunk("ANMF", frame)));
        assertTrue(assertThrows(Failure.class, () -> ImageFiles.read(beyond)).getMessage().contains("canvas"));
    }
}
