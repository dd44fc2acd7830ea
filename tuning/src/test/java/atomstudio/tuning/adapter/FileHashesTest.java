package atomstudio.tuning.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileHashesTest {
    @TempDir
    Path folder;

    @Test
    void hashesTheFileAndCachesUntilItChanges() throws Exception {
        FileHashes hashes = new FileHashes(folder.resolve("home/hashes.json"));
        Path file = Files.writeString(folder.resolve("model.ckpt"), "abc");
        // FIPS 180-2, B.1.
        assertEquals("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hashes.hash(file));
        Files.writeString(folder.resolve("home/hashes.json"),
                Files.readString(folder.resolve("home/hashes.json")).replace("ba7816bf", "cachedbf"));
        assertEquals("cachedbf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hashes.hash(file),
                "an unchanged file is not read again");
        FileTime time = Files.getLastModifiedTime(file);
        Files.writeString(file, "abd");
        Files.setLastModifiedTime(file, time);
        assertEquals("a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9", hashes.hash(file),
                "a file modified in place with its old time restored is read again");
        Files.writeString(file, "");
        assertEquals("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hashes.hash(file));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> hashes.hash(folder.resolve("gone"))).getMessage()
                .contains("gone"));
    }
}
