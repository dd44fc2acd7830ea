package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings.Seeds;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import javafx.event.EventType;
import javafx.geometry.Point2D;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Hyperlink;
import javafx.scene.input.MouseButton;
import javafx.scene.input.MouseEvent;
import javafx.scene.input.PickResult;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// The Generate page with the real model: image to image, a painted mask, live previews, hires fix.
@Tag("slow")
@Tag("display")
@ExtendWith({DisplayServerCondition.class, DisplayCondition.class, ApplicationExtension.class})
class GenerateScreenshotsTest {
    @TempDir
    static Path home;

    private RealWindow window;

    @Start
    void start(Stage stage) {
        window = RealWindow.open(stage, home);
    }

    @Test
    void imageToImageWithMask() throws Exception {
        window.waitFor(60, () -> window.model().models().current().get() != null);
        window.run(window.model()::openGenerate);
        GenerateViewModel page = ((WindowPage.GeneratePage) window.model().page().get()).generate();
        window.run(() -> {
            page.prompt().set(new SubjectPrompt("", SubjectPrompt.Mention.NONE, "a red apple on the grass"));
            ((Hyperlink) window.scene().lookup("#customize")).fire();
            page.settings(page.settings()
                    .get()
                    .withSampling(page.settings()
                            .get()
                            .sampling()
                            .with(SamplerName.DPM_PLUS_PLUS_2M_SDE)
                            .with(ScheduleName.KARRAS)));
            window.model().drops().drop(List.of(Shared.root().resolve("assets/subjects/car/00.png")));
        });
        window.waitFor(60, () -> page.settings().get().source().image().isPresent());
        window.run(page.source()::startPainting);
        paint();
        window.screenshots("mask");
        window.run(() -> ((Button) window.scene().lookup("#mask-done")).fire());
        assertTrue(page.settings().get().source().image().orElseThrow().mask().isPresent());
        window.run(() -> page.source().setDenoisingStrength(0.9));
        window.run(page::generate);
        window.waitFor(120,
                () -> page.row().previews().containsKey(page.row().cells().get(2).order()));
        window.screenshots("inpainting");
        window.waitFor(300, () -> page.batches().busy().get().isEmpty());
        assertEquals("", page.batches().problem().get());
        window.run(() -> {
            page.source().removeImage();
            page.source().setHiresScale(OptionalDouble.of(2));
            page.source().setDenoisingStrength(0.5);
            page.settings(page.settings().get().withSeeds(new Seeds(3, 2)));
            page.prompt().set(new SubjectPrompt("", SubjectPrompt.Mention.NONE, "a 3d penguin in the snow"));
        });
        window.run(page::generate);
        window.waitFor(300, () -> page.batches().busy().get().isEmpty());
        assertEquals("", page.batches().problem().get());
        assertEquals(256, firstImage(page).read().width());
    }

    private static GalleryImage firstImage(GenerateViewModel page) {
        GalleryImage image = page.row().cells().getFirst().image();
        assertNotNull(image);
        return image;
    }

    /// Fires mouse events.
    private void paint() throws Exception {
        window.run(() -> {
            Node canvas = window.scene().lookup("#mask-canvas");
            fire(canvas, MouseEvent.MOUSE_PRESSED, 220, 200);
            for (int i = 0; i <= 12; i++) {
                fire(canvas, MouseEvent.MOUSE_DRAGGED, 220 + i % 2 * 130, 150 + i * 14);
            }
        });
    }

    private static void fire(Node node, EventType<MouseEvent> type, double x, double y) {
        Point2D scene = node.localToScene(x, y);
        PickResult picked = new PickResult(node, scene.getX(), scene.getY());
        node.fireEvent(new MouseEvent(node, node, type, x, y, x, y, MouseButton.PRIMARY, 1, false, false, false, false,
                true, false, false, true, false, false, picked));
    }
}
