package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.BackgroundJobs;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.text.Text;
import javafx.stage.Stage;
import javax.imageio.ImageIO;
import org.testfx.api.FxRobot;
import org.testfx.util.WaitForAsyncUtils;

/// The real window on JavaFX's headless platform, with fake services.
record FakeWindow(FakeServices fake, WindowViewModel model, Scene scene, AtomicBoolean closed) {
    /// Runs on the JavaFX thread. Every window has its own home folder.
    static FakeWindow open(Stage stage, Path home) throws IOException {
        FakeServices fake = new FakeServices(Files.createTempDirectory(home, "home"),
                new BackgroundJobs(Platform::runLater));
        fake.launcher.delay = Duration.ofMillis(200);
        WindowViewModel model = new WindowViewModel(fake.services);
        AtomicBoolean closed = new AtomicBoolean();
        Scene scene = WindowStage.populate(stage, model, fake.services, () -> {
            closed.set(true);
            stage.hide();
        });
        // The headless screen is 1000 x 1000.
        stage.setWidth(980);
        stage.setHeight(780);
        stage.show();
        model.load();
        return new FakeWindow(fake, model, scene, closed);
    }

    /// Opens a subject's page and waits until training can start.
    void openSubject(FxRobot robot, String sample) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> model.start().useSample(FakeServices.sample(sample))).get();
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent()
                && !robot.lookup("#start").queryAs(Button.class).isDisabled());
    }

    static void focus(FxRobot robot, String id) {
        robot.interact(() -> robot.lookup(id).query().requestFocus());
        WaitForAsyncUtils.waitForFxEvents();
    }

    /// Evaluates the condition on the JavaFX thread, because lookups are not thread-safe.
    static void waitFor(Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(20, TimeUnit.SECONDS, () -> WaitForAsyncUtils.asyncFx(condition).get());
        WaitForAsyncUtils.waitForFxEvents();
    }

    /// Checks that there is at most one accented button, no small text, and nothing cut off in the narrowest window.
    private void checkPage() {
        double needed = scene.getRoot().minWidth(-1);
        double narrowest = ((Stage) scene.getWindow()).getMinWidth();
        assertTrue(needed <= narrowest, "the page needs " + needed + " of " + narrowest + " pixels");
        Set<Node> accented = scene.getRoot().lookupAll(".button.accent");
        assertTrue(
                accented.stream().filter(FakeWindow::isShown).count() <= 1
                        || !model.closing().state().get().equals(ClosingViewModel.ClosingState.OPEN),
                "accented: " + accented);
        Set<Node> texts = scene.getRoot().lookupAll(".text");
        assertTrue(texts.size() > 8, "texts found: " + texts.size());
        for (Node node : texts) {
            if (node instanceof Text text && isShown(text) && !text.getText().isBlank())
                assertTrue(text.getFont().getSize() >= 11.5, text.getText() + " has " + text.getFont());
        }
    }

    private static boolean isShown(Node node) {
        for (Node ancestor = node; ancestor != null; ancestor = ancestor.getParent())
            if (!ancestor.isVisible()) return false;
        return true;
    }

    /// Saves a screenshot to target/screenshots.
    void screenshot(String name) throws Exception {
        WaitForAsyncUtils.asyncFx(this::checkPage).get();
        BufferedImage image = SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(),
                null);
        Path file = RealWindow.TARGET.resolve(name + ".png");
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(image, "png", file.toFile()));
        assertFalse(closed.get());
    }
}
