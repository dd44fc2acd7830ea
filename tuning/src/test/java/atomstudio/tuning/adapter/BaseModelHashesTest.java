package atomstudio.tuning.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaseModelHashesTest {
    @TempDir
    Path folder;

    @Test
    void hashesTheWeightsAndCachesUntilTheyChange() throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("home/hashes.json"));
        assertEquals(Optional.empty(), hashes.cached(model));
        Path weights = folder.resolve("model/unet/diffusion_pytorch_model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        int header = 8 + (int) java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
        String expected = HexFormat.of()
                .formatHex(
                        MessageDigest.getInstance("SHA-256").digest(Arrays.copyOfRange(bytes, header, bytes.length)));
        assertEquals(expected, hashes.hash(model));
        assertEquals(Optional.of(expected), new BaseModelHashes(hashes.cacheFile()).cached(model));
        bytes[bytes.length - 1] ^= 1;
        Files.write(weights, bytes);
        Files.setLastModifiedTime(weights, FileTime.fromMillis(1_000_000));
        assertEquals(Optional.empty(), hashes.cached(model), "another time: not cached");
        assertNotEquals(expected, hashes.hash(model));
    }

    @Test
    void ignoresADamagedCache() throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        Files.writeString(folder.resolve("hashes.json"), "{damaged");
        BaseModelHashes hashes = new BaseModelHashes(folder.resolve("hashes.json"));
        String hash = hashes.hash(model);
        assertEquals(64, hash.length());
        assertEquals(Optional.of(hash), hashes.cached(model));
    }
}
