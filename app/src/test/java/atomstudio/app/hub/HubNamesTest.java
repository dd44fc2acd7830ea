package atomstudio.app.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubNamesTest {
    @Test
    void repositoryIsParsedFromIdOrPage() {
        assertEquals(new RepositoryId("stable-diffusion-v1-5", "stable-diffusion-v1-5", "main"),
                RepositoryId.parse(" stable-diffusion-v1-5/stable-diffusion-v1-5 ", ""));
        assertEquals(new RepositoryId("", "gpt2", "v1"), RepositoryId.parse("gpt2", "v1"));
        RepositoryId page = RepositoryId.parse("https://huggingface.co/owner/small.model/tree/fp16", "");
        assertEquals(new RepositoryId("owner", "small.model", "fp16"), page);
        assertEquals("owner/small.model@fp16", page.toString());
        assertEquals("main", RepositoryId.parse("https://huggingface.co/owner/model/", "").revision());
        assertEquals("own", RepositoryId.parse("https://huggingface.co/owner/model/tree/fp16", "own").revision());
        assertEquals("owner/model", RepositoryId.parse("huggingface.co/owner/model", "").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b/c", "../b", "a/..", "a--b/c", "a b/c", "owner/na me", "owner/model.git", "a/b\nc"})
    void otherIdsAreRejected(String id) {
        String message = assertThrows(IllegalArgumentException.class, () -> RepositoryId.parse(id, "")).getMessage();
        assertTrue(message.startsWith("expected a repository as owner/name"), message);
    }

    @Test
    void addressIsNormalized() {
        assertEquals("https://hub.example", HubAddress.parse(" hub.example/ ").toString());
        assertEquals("https://hub.example:443", HubAddress.parse("https://HUB.example/mirror/").origin());
        assertEquals("https://hub.example/mirror/a%2Fb/c%20d?x=1",
                HubAddress.parse("https://hub.example/mirror/").resolve(List.of("a/b", "c d"), "?x=1").toString());
        assertTrue(HubAddress.parse("http://localhost:8080").isConfidential());
        assertFalse(HubAddress.parse("http://hub.example").isConfidential());
        for (String wrong : List.of("", "ftp://hub.example", "https://user:secret@hub.example", "https://a b"))
            assertThrows(IllegalArgumentException.class, () -> HubAddress.parse(wrong), wrong);
    }

    @Test
    void tokenIsNotPrinted() {
        HubToken token = new HubToken(" hf_secret\n");
        assertEquals("hf_secret", token.value());
        assertFalse((token + " " + HubSettings.DEFAULT.with(Optional.of(token))).contains("secret"));
        String message = assertThrows(IllegalArgumentException.class, () -> new HubToken("my secret")).getMessage();
        assertFalse(message.contains("secret"), message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../a", "a/../../b", "/etc/passwd", "a//b", "./a", "a/.", "a\\..\\b", "C:/a", "C:a", "a\u0000"})
    void pathsOutsideTheFolderAreFound(String path) {
        assertFalse(HubFile.isInside(path));
    }

    @Test
    void usualPathsAreInside() {
        for (String path : List.of("model_index.json", "unet/a.fp16-00001-of-00002.safetensors", ".gitattributes",
                "a..b/c", "samples/what?.png"))
            assertTrue(HubFile.isInside(path), path);
        assertFalse(HubFile.isPortable("samples/what?.png"));
        assertFalse(HubFile.isPortable("unet/nul.json"));
        assertTrue(HubFile.isPortable("unet/config.json"));
    }

    /// Values of `git hash-object` and `sha256sum`.
    @Test
    void checksumsEqualGitsAndSha256() {
        byte[] content = "Hello, World!".getBytes();
        assertEquals("b45ef6fec89518d314f546fd6c3025367b721684", FakeHub.gitSha1(content));
        HubFile.Checksum sha256 = HubFile.Checksum
                .parse("DFFD6021BB2BD5B0AF676290809EC3A53191DD81C7F70A4B28688A362182986F");
        assertEquals(sha256.hex(),
                HexFormat.of().formatHex(sha256.digest(content.length).digest(content)));
        assertThrows(IllegalArgumentException.class, () -> HubFile.Checksum.parse("1234"));
    }
}
