package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javafx.scene.control.Hyperlink;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// Screenshots of the Models, Settings and Generate pages with real files: a model folder, a checkpoint, one without a
/// tokenizer, and rejected files.
@Tag("slow")
@Tag("display")
@ExtendWith({DisplayServerCondition.class, DisplayCondition.class, ApplicationExtension.class})
class PagesScreenshotsTest {
    @TempDir
    static Path home;
    @TempDir
    Path models;

    private RealWindow window;

    @Start
    void start(Stage stage) {
        window = RealWindow.open(stage, home);
    }

    @Test
    void modelsAndSettings() throws Exception {
        window.waitFor(60, () -> window.model().models().current().get() != null);
        window.run(window.model()::openModels);
        open(Shared.own("goldens/nets/sd2/model"), 2);
        Path file = Files.copy(Shared.own("goldens/files/sd1.ckpt"), models.resolve("portraits.ckpt"));
        Files.copy(Shared.own("goldens/files/sd1.json"), models.resolve("portraits.json"));
        open(file, 3);
        assertTrue(window.model()
                .models()
                .known()
                .getLast()
                .warnings()
                .missingTokenizer()
                .orElseThrow()
                .contains("no tokenizer"));
        open(Shared.own("goldens/taesd/decoder.safetensors"), 3);
        assertTrue(window.model().models().problem().get().contains("is a decoder for previews"),
                window.model().models().problem().get());
        window.screenshots("models");
        open(models, 3);
        assertTrue(window.model().models().problem().get().contains("found a folder without it"),
                window.model().models().problem().get());
        Files.move(file, models.resolve("moved.ckpt"));
        window.run(window.model().models()::load);
        window.waitFor(60, () -> window.model().models().unreadable().size() == 1);
        window.screenshots("models-unreadable");
        window.run(() -> window.model().open(Screen.SETTINGS));
        window.screenshots("preferences");
    }

    @Test
    void addedAdaptersAndMissingSource() throws Exception {
        window.waitFor(60, () -> window.model().models().current().get() != null);
        Path toy = models.resolve("cat-toy.safetensors");
        SafetensorsWriter.write(toy, Map.of("<cat-toy>", Tensor.filled(Shape.of(2, 128), 0.1f)), Map.of());
        Path old = models.resolve("old.png");
        PngWriter.write(old, RgbImage.filled(128, 128, 0x336699),
                Infotext.of("a [red|blue] car AND a <lora:gone:0.7> tree", "")
                        .withSteps(8)
                        .withSampler("Euler a")
                        .withSeed(7)
                        .withSize(128, 128)
                        .with("Denoising strength", "0.6")
                        .with("Inpaint area", "Whole picture")
                        .with("Source picture", "table.png")
                        .toPngText());
        window.run(() -> window.model().drops().drop(List.of(old)));
        window.waitFor(60, () -> window.model().page().get() instanceof WindowPage.GeneratePage);
        GenerateViewModel page = ((WindowPage.GeneratePage) window.model().page().get()).generate();
        window.run(() -> page
                .settings(page.settings().get().withAdapters(List.of(new ImageSettings.SelectedAdapter(toy, 0.8)))));
        window.run(page::generate);
        window.waitFor(120, () -> page.batches().busy().get().isEmpty());
        assertEquals("", page.batches().problem().get());
        assertEquals("[cat-toy (0.8)]", page.adapters().selected().toString());
        assertTrue(page.row().warning().get().contains("<lora:gone:0.7>"),
                page.row().warning().get());
        window.screenshots("adapters-and-source");
        window.run(() -> ((Hyperlink) window.scene().lookup("#customize")).fire());
        window.screenshots("adapters-and-source-settings");
    }

    private void open(Path file, int known) throws Exception {
        window.run(() -> window.model().models().open(file));
        window.waitFor(60, () -> window.model().models().busy().get().isEmpty());
        assertEquals(known, window.model().models().known().size(), window.model().models().problem().get());
    }
}
