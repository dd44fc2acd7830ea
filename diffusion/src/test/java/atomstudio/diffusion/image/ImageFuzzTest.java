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

/// Readers of damaged image files return or fail in time, and failures name the file.
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
    void damagedFilesAreReadOrRejected() throws Exception {
        run(new Random(20), 30);
    }

    @Tag("slow")
    @Test
    void manyDamagedFilesAreReadOrRejected() throws Exception {
        run(new Random(22), 3000);
    }

    private void run(Random random, int each) throws Exception {
        int read = 0;
        int rejected = 0;
        ExecutorService worker = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
        for (String seed : SEEDS) {
            byte[] original = seed(seed);
            for (int i = 0; i < each; i++) {
                Path file = Files.write(folder.resolve("changed." + seed.substring(seed.lastIndexOf('.') + 1)),
                        damaged(original, random));
                if (completes(worker, file, seed + ", change " + i)) read++;
                else rejected++;
            }
        }
        worker.shutdownNow();
        assertTrue(read > SEEDS.size() && rejected > SEEDS.size(), read + " read, " + rejected + " rejected");
    }

    /// Adds text chunks to PNG files.
    private static byte[] seed(String name) throws IOException {
        byte[] original = Files.readAllBytes(SampleImages.file(name));
        if (!name.endsWith(".png")) return original;
        byte[] chunks = PngBytes.grey(1, 0)
                .text("parameters", "a car\nSteps: 20, Sampler: Euler, Seed: 1")
                .with("zTXt", ByteBuffer.allocate(3 + PngBytes.deflated(new byte[500]).length)
                        .put(new byte[] {'k', 0, 0})
                        .put(PngBytes.deflated(new byte[500]))
                        .array())
                .with("iTXt", "k\0\0\0\0\0text".getBytes(StandardCharsets.UTF_8))
                .with(PngAttachment.CHUNK_TYPE, "name\0content".getBytes(StandardCharsets.UTF_8))
                .withoutEnd();
        // Inserts the text chunks after the signature and IHDR, which are 33 bytes.
        int end = new String(chunks, StandardCharsets.ISO_8859_1).indexOf("IDAT") - 4;
        return ByteBuffer.allocate(original.length + end - 33)
                .put(original, 0, 33)
                .put(chunks, 33, end - 33)
                .put(original, 33, original.length - 33)
                .array();
    }

    private static boolean completes(ExecutorService worker, Path file, String description)
            throws InterruptedException, IOException {
        Future<Boolean> result = worker.submit(() -> reads(file));
        try {
            return result.get(SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return fail(description + ": took longer than " + SECONDS + " s; its bytes: "
                    + java.util.HexFormat.of().formatHex(Files.readAllBytes(file)));
        } catch (ExecutionException e) {
            throw new AssertionError(description + ": " + e.getCause() + "; its bytes: "
                    + java.util.HexFormat.of().formatHex(Files.readAllBytes(file)), e.getCause());
        }
    }

    private static boolean reads(Path file) {
        if (file.toString().endsWith(".png")) {
            succeeds(file, () -> Infotext.parse(PngText.read(file).getOrDefault("parameters", "")));
            succeeds(file, () -> PngAttachment.read(file));
        }
        return succeeds(file, () -> Mask.of(ImageFiles.read(file)));
    }

    private interface FileReader {
        Object read() throws Failure;
    }

    private static boolean succeeds(Path file, FileReader reader) {
        try {
            reader.read();
            return true;
        } catch (Failure rejected) {
            assertTrue(rejected.getMessage().startsWith(file.toString()), rejected.getMessage());
            return false;
        }
    }

    private static byte[] damaged(byte[] original, Random random) {
        byte[] damaged = original.clone();
        switch (random.nextInt(6)) {
            case 0 -> flip(damaged, random, damaged.length);
            case 1 -> flip(damaged, random, Math.min(64, damaged.length));
            case 2 -> {
                int at = random.nextInt(damaged.length - 4);
                ByteBuffer.wrap(damaged)
                        .order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
                        .putInt(at, ODD[random.nextInt(ODD.length)]);
            }
            case 3 -> damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
            case 4 -> {
                int from = random.nextInt(damaged.length);
                int length = Math.min(random.nextInt(1, 40), damaged.length - from);
                System.arraycopy(original, from, damaged, random.nextInt(damaged.length - length + 1), length);
            }
            default -> {
                int from = random.nextInt(damaged.length);
                damaged = Arrays.copyOf(damaged, damaged.length + 50);
                System.arraycopy(original, from, damaged, Math.min(from + 50, damaged.length),
                        Math.min(original.length - from, damaged.length - from - 50));
            }
        }
        return random.nextInt(4) == 0 ? damaged : withChecksums(damaged);
    }

    private static void flip(byte[] bytes, Random random, int among) {
        for (int i = random.nextInt(1, 6); i > 0; i--) bytes[random.nextInt(among)] ^= (byte) (1 << random.nextInt(8));
    }

    /// Corrects the checksums of PNG files, or only the checksum test would be exercised.
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
