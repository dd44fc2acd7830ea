package atomstudio.app.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AssetsTest {
    @TempDir
    private Path folder;

    @Test
    void findsTheAssetsOfTheCheckout() throws Exception {
        Assets assets = Assets.find();
        assertTrue(Files.isRegularFile(assets.defaultModel().resolve("unet/diffusion_pytorch_model.safetensors")));
        assertTrue(Files.isRegularFile(assets.subjectFolder("car").resolve("00.png")));
        assertEquals(10, assets.subjectNames().size());
    }

    @Test
    void findsAssetsAboveABuildFolderAndBesideAJar() throws Exception {
        createAssets(folder);
        assertEquals(folder.resolve("assets"),
                Assets.findAbove(Files.createDirectories(folder.resolve("app/target/classes"))).folder());
        assertEquals(folder.resolve("assets"), Assets.findAbove(Files.createFile(folder.resolve("app.jar"))).folder());
    }

    @Test
    void skipsOtherFoldersNamedAssets() throws Exception {
        createAssets(folder);
        Files.createDirectories(folder.resolve("app/assets"));
        assertEquals(folder.resolve("assets"),
                Assets.findAbove(Files.createDirectories(folder.resolve("app/target"))).folder());
    }

    @Test
    void missingAssetsAreReportedWithTheSystemProperty() throws IOException {
        Path start = Files.createDirectories(folder.resolve("a/b/c/d/e"));
        Failure failure = assertThrows(Failure.Unreadable.class, () -> Assets.findAbove(start));
        assertTrue(failure.getMessage().contains(start.toString())
                && failure.getMessage().contains("-Datomstudio.assets="), failure::getMessage);
    }

    @Test
    void rejectsUnknownSubjectAndListsTheKnownOnes() throws Exception {
        createAssets(folder);
        Assets assets = new Assets(folder.resolve("assets"));
        Failure failure = assertThrows(Failure.Unreadable.class, () -> assets.subjectFolder("dog"));
        assertTrue(failure.getMessage().contains("\"dog\"") && failure.getMessage().contains("car, owl"),
                failure::getMessage);
    }

    @Test
    void recognizesTheDefaultModelByAnyPath() throws Exception {
        createAssets(folder);
        Assets assets = new Assets(folder.resolve("assets"));
        assertTrue(assets.isDefaultModel(folder.resolve("assets/subjects/../default-model")));
        assertFalse(assets.isDefaultModel(folder));
        assertFalse(assets.isDefaultModel(folder.resolve("absent")));
    }

    private static void createAssets(Path root) throws IOException {
        Files.createDirectories(root.resolve("assets/default-model"));
        Files.writeString(root.resolve("assets/default-model/model_index.json"), "{}");
        Files.createDirectories(root.resolve("assets/subjects/owl"));
        Files.createDirectories(root.resolve("assets/subjects/car"));
    }
}
