package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnusualPngTest {
    private static final int[] LEVELS = {0, 20, 60, 128, 200, 255};

    @TempDir
    Path folder;

    private Path file(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "odd", ".png"), bytes);
    }

    private static int[] levels(RgbImage image) {
        int[] levels = new int[image.width()];
        for (int x = 0; x < levels.length; x++) levels[x] = image.argb()[x] & 0xFF;
        return levels;
    }

    /// Converts levels of linear light to sRGB.
    private static int[] fromLinear(int... levels) {
        int[] srgb = new int[levels.length];
        for (int i = 0; i < levels.length; i++) {
            double light = levels[i] / 255.0;
            srgb[i] = (int) Math
                    .round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * Math.pow(light, 1 / 2.4) - 0.055));
        }
        return srgb;
    }

    private static void assertNear(int[] expected, int[] found) {
        for (int i = 0; i < expected.length; i++) assertEquals(expected[i], found[i], 2, "level " + i);
    }

    @Test
    void appliesGreyProfile() throws IOException, Failure {
        // Java's grey profile is linear light.
        byte[] profile = ICC_Profile.getInstance(ColorSpace.CS_GRAY).getData();
        assertNear(fromLinear(LEVELS),
                levels(ImageFiles.read(file(PngBytes.grey(3, LEVELS).profile(profile).bytes()))));
    }

    @Test
    void greyRampIsEqualAsPngJpegAndTiff() throws Failure {
        RgbImage png = ImageFiles.read(Shared.file("cases/grey-png-profile/ramp.png"));
        for (String other : new String[] {"ramp.jpg", "ramp.tif"}) {
            RgbImage image = ImageFiles.read(Shared.file("cases/grey-png-profile/" + other));
            for (int i = 0; i < png.argb().length; i++)
                assertEquals(image.argb()[i] & 0xFF, png.argb()[i] & 0xFF, 2, other + " at " + i);
        }
    }

    @Test
    void appliesGammaWithoutProfileOrSrgbChunk() throws IOException, Failure {
        byte[] linear = ByteBuffer.allocate(4).putInt(100_000).array();
        assertNear(fromLinear(LEVELS),
                levels(ImageFiles.read(file(PngBytes.grey(1, LEVELS).with("gAMA", linear).bytes()))));
        assertArrayEquals(LEVELS, levels(ImageFiles
                .read(file(PngBytes.grey(1, LEVELS).with("gAMA", linear).with("sRGB", new byte[1]).bytes()))));
        byte[] usual = ByteBuffer.allocate(4).putInt(45_455).array();
        assertArrayEquals(LEVELS, levels(ImageFiles.read(file(PngBytes.grey(1, LEVELS).with("gAMA", usual).bytes()))));
    }

    @Test
    void ignoresUnusableProfile() throws IOException, Failure {
        byte[] truncated = java.util.Arrays.copyOf(ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData(), 200);
        for (byte[] bytes : new byte[][] {
                PngBytes.grey(1, LEVELS).with("iCCP", "no zero".getBytes(StandardCharsets.ISO_8859_1)).bytes(),
                PngBytes.grey(1, LEVELS).profile("garbage".getBytes(StandardCharsets.ISO_8859_1)).bytes(),
                PngBytes.grey(1, LEVELS).profile(truncated).bytes()}) {
            assertArrayEquals(LEVELS, levels(ImageFiles.read(file(bytes))));
        }
        assertEquals(ImageFiles.read(Shared.file("cases/png-profile-that-does-not-link/b.jpg")).argb()[0],
                ImageFiles.read(Shared.file("cases/png-profile-that-does-not-link/a.png")).argb()[0], 0x030303);
    }

    @Test
    void acceptsMissingEndChunk() throws IOException, Failure {
        assertArrayEquals(LEVELS, levels(ImageFiles.read(file(PngBytes.grey(4, LEVELS).withoutEnd()))));
        assertEquals(Map.of("a", "b"), PngText.read(file(PngBytes.grey(4, LEVELS).text("a", "b").withoutEnd())));
        for (String name : new String[] {"noend.png", "badiccp.png"})
            assertEquals(64, ImageFiles.read(Shared.file("cases/png-without-end/" + name)).width());
    }

    @Test
    void rejectsWrongChecksums() throws IOException, Failure {
        byte[] attachment = new PngAttachment("atoms", new byte[100]).toChunk();
        byte[] original = PngBytes.grey(4, LEVELS)
                .text("first", "good")
                .with("stAd", java.util.Arrays.copyOfRange(attachment, 8, attachment.length - 4))
                .bytes();
        for (String type : new String[] {"IHDR", "IDAT"}) {
            String message = assertThrows(Failure.Unreadable.class,
                    () -> ImageFiles.read(file(flipped(original, type))))
                    .getMessage();
            assertTrue(message.contains("checksum") && message.contains(type), message);
        }
        String message = assertThrows(Failure.Unreadable.class,
                () -> PngAttachment.read(file(flipped(original, "stAd"))))
                .getMessage();
        assertTrue(message.contains("checksum") && message.contains("stAd"), message);
        PngText text = PngText.of(file(flipped(original, "tEXt")));
        assertEquals(Map.of(), text.texts());
        assertTrue(text.damaged().getFirst().contains("checksum"), text.damaged().toString());
        assertEquals(1, PngAttachment.read(file(original)).size());
        Path wrongChecksum = Shared.file("cases/faults/png-chunk-crc-wrong.png");
        assertTrue(
                assertThrows(Failure.class, () -> PngAttachment.read(wrongChecksum)).getMessage().contains("checksum"));
    }

    /// Flips one bit in a chunk's data without updating the checksum.
    private static byte[] flipped(byte[] png, String type) {
        byte[] changed = png.clone();
        int at = new String(png, StandardCharsets.ISO_8859_1).indexOf(type);
        int length = ByteBuffer.wrap(png).getInt(at - 4);
        changed[at + 4 + length - 1] ^= 1;
        return changed;
    }

    @Test
    void malformedTextDoesNotAffectOthers() throws IOException, Failure {
        byte[] png = PngBytes.grey(1, LEVELS)
                .text("parameters", "a car")
                .with("tEXt", "no zero in here".getBytes(StandardCharsets.ISO_8859_1))
                .with("zTXt", "cut\0".getBytes(StandardCharsets.ISO_8859_1))
                .with("zTXt", "not zlib\0\0xyz".getBytes(StandardCharsets.ISO_8859_1))
                .with("iTXt", "short\0".getBytes(StandardCharsets.ISO_8859_1))
                .text("last", "too")
                .bytes();
        PngText text = PngText.of(file(png));
        assertEquals(Map.of("parameters", "a car", "last", "too"), text.texts());
        assertEquals(4, text.malformed().size(), text.malformed().toString());
        assertTrue(
                PngText.read(Shared.file("cases/png-one-bad-text/bad.png")).get("parameters").startsWith("a red car"));
    }

    @Test
    void readsOrientationFromHexText() throws IOException, Failure {
        // Big endian, one entry: orientation 6, rotated clockwise.
        String block = "4d4d002a00000008" + "0001" + "011200030000000100060000" + "00000000";
        for (String header : new String[] {"", "457869660000"}) {
            PngBytes png = PngBytes.grey(1, LEVELS)
                    .text("Raw profile type exif", "\nexif\n      " + (header + block).length() / 2 + "\n"
                            + (header + block).replaceAll("(.{20})", "$1\n") + "\n");
            RgbImage image = ImageFiles.read(file(png.bytes()));
            assertEquals(1, image.width());
            assertEquals(LEVELS.length, image.height());
        }
        assertEquals(LEVELS.length, ImageFiles
                .read(file(PngBytes.grey(1, LEVELS).text("Raw profile type exif", "\nexif\n 3\nnot hex").bytes()))
                .width());
    }

    @Test
    void skipsTextsOfExcessiveDecompressedSize() throws IOException {
        byte[] bomb = PngBytes.deflated(new byte[15 << 20]);
        byte[] chunk = ByteBuffer.allocate(bomb.length + 3)
                .put((byte) 'k')
                .put((byte) 0)
                .put((byte) 0)
                .put(bomb)
                .array();
        PngBytes png = PngBytes.grey(1, LEVELS).text("parameters", "a car");
        for (int i = 0; i < 200; i++) {
            chunk[0] = (byte) ('A' + i);
            png.with("zTXt", chunk.clone());
        }
        png.profile(new byte[40 << 20]);
        Path file = file(png.bytes());
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            PngText text = PngText.of(file);
            assertEquals("a car", text.texts().get("parameters"));
            assertEquals(2, text.texts().size());
            assertEquals(199, text.malformed().size());
            assertArrayEquals(LEVELS, levels(ImageFiles.read(file)));
        });
    }
}
