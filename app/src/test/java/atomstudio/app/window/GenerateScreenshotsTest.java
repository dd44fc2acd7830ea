package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.Made;
import atomstudio.app.generate.PictureSettings.Seeds;
import atomstudio.app.generate.Prompt;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.jobs.Home;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.event.EventType;
import javafx.geometry.Point2D;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.ToggleButton;
import javafx.scene.input.MouseButton;
import javafx.scene.input.MouseEvent;
import javafx.scene.input.PickResult;
import javafx.stage.Stage;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// The page Generate with the real model: a picture to start from, a painted mask, a picture that emerges, a second pass.
/// `mvn -pl app -am test -Dtest=GenerateScreenshotsTest -Dtest.excludedGroups= -Dsurefire.failIfNoSpecifiedTests=false`.
@Tag("slow")
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class GenerateScreenshotsTest {
    @TempDir static Path home;

    private final FakeDesktop desktop = new FakeDesktop();
    private WindowViewModel model;
    private Scene scene;

    @Start void start(Stage stage) {
        Services services = Composition.of(new Home(home), new BackgroundJobs(Platform::runLater), desktop, desktop);
        model = new WindowViewModel(services);
        scene = StudioStage.fill(stage, model, services, stage::hide);
        stage.setWidth(1280);
        stage.setHeight(800);
        stage.show();
        model.load();
    }

    @Test void fromAPictureAndWithinAMask() throws Exception {
        waitFor(60, () -> model.models().current().get() != null);
        run(model::openGenerate);
        GenerateViewModel page = ((Page.Generate) model.page().get()).generate();
        run(() -> {
            page.write(new Prompt("", Prompt.Mention.NONE, "a red apple on the grass"));
            ((ToggleButton) scene.lookup("#picture-settings")).setSelected(true);
            page.settings(page.settings().get().withWay(page.settings().get().way().with(SamplerName.DPM_PLUS_PLUS_2M_SDE).with(ScheduleName.KARRAS)));
            model.dropped(List.of(Shared.root().resolve("assets/subjects/car/00.png")));
        });
        waitFor(60, () -> page.settings().get().start().given().isPresent());
        run(page.source()::paint);
        paint();
        shoot("mask");
        run(() -> ((Button) scene.lookup("#mask-done")).fire());
        assertTrue(page.settings().get().start().given().orElseThrow().mask().isPresent());
        run(() -> page.source().denoise(0.9));
        run(page::generate);
        waitFor(120, () -> page.rows().getFirst().emerging().get() != null && page.rows().getFirst().emerging().get().column() == 2);
        shoot("generating");
        waitFor(300, () -> page.busy().get().isEmpty());
        assertEquals("", page.problem().get());
        run(() -> {
            page.source().remove();
            page.source().hires(OptionalDouble.of(2));
            page.source().denoise(0.5);
            page.settings(page.settings().get().withSeeds(new Seeds(3, 2)));
            page.write(new Prompt("", Prompt.Mention.NONE, "a 3d penguin in the snow"));
        });
        run(page::generate);
        waitFor(300, () -> page.busy().get().isEmpty());
        assertEquals("", page.problem().get());
        assertEquals(256, firstOf(page).picture().width());
    }

    private static Made firstOf(GenerateViewModel page) {
        Made made = page.rows().getFirst().cells().getFirst().made();
        assertNotNull(made);
        return made;
    }

    /// A few strokes with the mouse, as events: the headless platform has no robot for drags.
    private void paint() throws Exception {
        run(() -> {
            Node place = scene.lookup("#mask-place");
            fire(place, MouseEvent.MOUSE_PRESSED, 220, 200);
            for (int i = 0; i <= 12; i++) {
                fire(place, MouseEvent.MOUSE_DRAGGED, 220 + i % 2 * 130, 150 + i * 14);
            }
        });
    }

    private static void fire(Node node, EventType<MouseEvent> type, double x, double y) {
        Point2D scene = node.localToScene(x, y);
        PickResult picked = new PickResult(node, scene.getX(), scene.getY());
        node.fireEvent(new MouseEvent(node, node, type, x, y, x, y, MouseButton.PRIMARY, 1, false, false, false, false, true, false, false, true, false, false, picked));
    }

    private static void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
        WaitForAsyncUtils.waitForFxEvents();
    }

    private static void waitFor(int seconds, Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(seconds, TimeUnit.SECONDS, () -> WaitForAsyncUtils.asyncFx(condition).get());
    }

    private void shoot(String name) throws Exception {
        WaitForAsyncUtils.waitForFxEvents();
        Path file = Shared.root().resolve("docs/screenshots").resolve(name + ".png");
        assertTrue(ImageIO.write(SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(), null), "png", file.toFile()));
    }
}
