package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import java.nio.file.Files;
import java.nio.file.Path;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// The pages Models and Settings, into target/screenshots, with real files: a folder, a file, one without a tokenizer, and some that are refused.
/// `mvn -pl app -am test -Dtest=PagesScreenshotsTest -Dtest.excludedGroups= -Dsurefire.failIfNoSpecifiedTests=false`.
@Tag("slow")
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class PagesScreenshotsTest {
    @TempDir static Path home;
    @TempDir Path models;

    private RealWindow window;

    @Start void start(Stage stage) {
        window = RealWindow.open(stage, home, RealWindow.TARGET);
    }

    @Test void modelsAndSettings() throws Exception {
        window.waitFor(60, () -> window.model().models().current().get() != null);
        window.run(window.model()::openModels);
        open(Shared.own("goldens/nets/sd2/model"), 2);
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), models.resolve("portraits.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), models.resolve("portraits.json"));
        open(file, 3);
        assertTrue(window.model().models().known().getLast().remarks().lack().orElseThrow().contains("no tokenizer"));
        open(Shared.own("goldens/taesd/decoder.safetensors"), 3);
        assertTrue(window.model().models().problem().get().contains("is a decoder for previews"), window.model().models().problem().get());
        window.shoot("models");
        open(models, 3);
        assertTrue(window.model().models().problem().get().contains("found a folder without it"), window.model().models().problem().get());
        Files.move(file, models.resolve("moved.ckpt"));
        window.run(window.model().models()::load);
        window.waitFor(60, () -> window.model().models().lost().size() == 1);
        window.shoot("models-lost");
        window.run(window.model()::openSettings);
        window.shoot("preferences");
    }

    private void open(Path place, int known) throws Exception {
        window.run(() -> window.model().models().open(place));
        window.waitFor(60, () -> window.model().models().busy().get().isEmpty());
        assertEquals(known, window.model().models().known().size(), window.model().models().problem().get());
    }
}
