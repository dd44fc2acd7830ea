package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every reader of image files ends soon, with a picture, with texts, or with a failure that names the file, whatever
/// is in the file.
class ImageFuzzTest {
    private static final long SECONDS = 10;
    private static final List<String> SEEDS = List.of("rgb.jpg", "cmyk.jpg", "exif-6.jpg", "profile.jpg", "rgb-16.png",
            "palette.png", "profile.png", "alpha.png", "exif-6.png", "lossy.webp", "alpha.webp",
            "exif-6.webp", "webp/soft-0.webp", "webp/products-6.webp", "webp/three-colours-4.webp", "frame.gif",
            "rgb.bmp", "lzw.tif", "cmyk.tif", "exif-6.tif");
    private static final int[] ODD = {0, 1, -1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF,
            0x80000000, 0x00FFFFFF, 0x3FFF3FFF};

    @TempDir
    Path folder;

    @Test
    void changedFilesEndInAPictureOrANamedFailure() throws Exception {
        run(new Random(20), 30);
    }

    @Tag("slow")
    @Test
    void manyChangedFilesEndInAPictureOrANamedFailure() throws Exception {
        run(new Random(22), 3000);
    }

    private void run(Random random, int each) throws Exception {
        int read = 0;
        int refused = 0;
        ExecutorService worker = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
        for (String seed : SEEDS) {
            byte[] whole = seed(seed);
            for (int i = 0; i < each; i++) {
                Path file = Files.write(folder.resolve("changed." + seed.substring(seed.lastIndexOf('.') + 1)),
                        changed(whole, random));
                if (ends(worker, file, seed + ", change " + i)) read++;
                else refused++;
            }
        }
        worker.shutdownNow();
        assertTrue(read > SEEDS.size() && refused > SEEDS.size(), read + " read, " + refused + " refused");
    }

    /// PNG files get texts, so that their readers have something to read.
    private static byte[] seed(String name) throws IOException {
        byte[] whole = Files.readAllBytes(SampleImages.file(name));
        if (!name.endsWith(".png")) return whole;
        byte[] chunks = PngBytes.grey(1, 0)
                .text("parameters", "a car\nSteps: 20, Sampler: Euler, Seed: 1")
                .with("zTXt", ByteBuffer.allocate(3 + PngBytes.deflated(new byte[500]).length)
                        .put(new byte[] {'k', 0, 0})
                        .put(PngBytes.deflated(new byte[500]))
                        .array())
                .with("iTXt", "k\0\0\0\0\0text".getBytes(StandardCharsets.UTF_8))
                .with(PngAttachment.CHUNK_TYPE, "name\0content".getBytes(StandardCharsets.UTF_8))
                .withoutEnd();
        // Between the two headers: signature and IHDR are 33 bytes; the last chunk is the pixels' of the grey picture.
        int end = new String(chunks, StandardCharsets.ISO_8859_1).indexOf("IDAT") - 4;
        return ByteBuffer.allocate(whole.length + end - 33)
                .put(whole, 0, 33)
                .put(chunks, 33, end - 33)
                .put(whole, 33, whole.length - 33)
                .array();
    }

    private static boolean ends(ExecutorService worker, Path file, String what)
            throws InterruptedException, IOException {
        Future<Boolean> ended = worker.submit(() -> reads(file));
        try {
            return ended.get(SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            return fail(what + ": took longer than " + SECONDS + " s; its bytes: "
                    + java.util.HexFormat.of().formatHex(Files.readAllBytes(file)));
        } catch (ExecutionException unexpected) {
            throw new AssertionError(what + ": " + unexpected.getCause() + "; its bytes: "
                    + java.util.HexFormat.of().formatHex(Files.readAllBytes(file)), unexpected.getCause());
        }
    }

    private static boolean reads(Path file) {
        if (file.toString().endsWith(".png")) {
            named(file, () -> Infotext.parse(PngText.read(file).getOrDefault("parameters", "")));
            named(file, () -> PngAttachment.read(file));
        }
        return named(file, () -> Mask.of(ImageFiles.read(file)));
    }

    private interface Reading {
        Object read() throws Failure;
    }

    private static boolean named(Path file, Reading reading) {
        try {
            reading.read();
            return true;
        } catch (Failure refused) {
            assertTrue(refused.getMessage().startsWith(file.toString()), refused.getMessage());
            return false;
        }
    }

    private static byte[] changed(byte[] whole, Random random) {
        byte[] changed = whole.clone();
        switch (random.nextInt(6)) {
            case 0 -> flip(changed, random, changed.length);
            case 1 -> flip(changed, random, Math.min(64, changed.length));
            case 2 -> {
                int at = random.nextInt(changed.length - 4);
                ByteBuffer.wrap(changed)
                        .order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
                        .putInt(at, ODD[random.nextInt(ODD.length)]);
            }
            case 3 -> changed = Arrays.copyOf(changed, random.nextInt(changed.length));
            case 4 -> {
                int from = random.nextInt(changed.length);
                int length = Math.min(random.nextInt(1, 40), changed.length - from);
                System.arraycopy(whole, from, changed, random.nextInt(changed.length - length + 1), length);
            }
            default -> {
                int from = random.nextInt(changed.length);
                changed = Arrays.copyOf(changed, changed.length + 50);
                System.arraycopy(whole, from, changed, Math.min(from + 50, changed.length),
                        Math.min(whole.length - from, changed.length - from - 50));
            }
        }
        return random.nextInt(4) == 0 ? changed : withChecksums(changed);
    }

    private static void flip(byte[] bytes, Random random, int among) {
        for (int i = random.nextInt(1, 6); i > 0; i--) bytes[random.nextInt(among)] ^= (byte) (1 << random.nextInt(8));
    }

    /// PNG files with right checksums again, or nothing but those would be tested; others as they are.
    private static byte[] withChecksums(byte[] file) {
        if (file.length < 8 || !Arrays.equals(file, 0, 8, PngChunks.SIGNATURE, 0, 8)) return file;
        ByteBuffer png = ByteBuffer.wrap(file);
        for (int at = 8; at + 12 <= file.length;) {
            int length = png.getInt(at);
            if (length < 0 || length > file.length - at - 12) break;
            CRC32 sum = new CRC32();
            sum.update(file, at + 4, length + 4);
            png.putInt(at + 8 + length, (int) sum.getValue());
            at += 12 + length;
        }
        return file;
    }
}
