package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.diffusion.Shared;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.geometry.Dimension2D;
import javafx.scene.Scene;
import javafx.stage.Stage;
import javax.imageio.ImageIO;
import org.testfx.util.WaitForAsyncUtils;

/// The window with real services, except file choosers, on the headless platform.
record RealWindow(FakeDesktop desktop, WindowViewModel model, Scene scene, Path screenshots) {
    /// Screenshots for the README.
    static final Path DOCS = Shared.root().resolve("docs/screenshots");
    /// Screenshots that show local paths.
    static final Path TARGET = Path.of("target/screenshots");
    static final Dimension2D SMALL = new Dimension2D(1280, 800);

    /// Runs on the JavaFX thread.
    static RealWindow open(Stage stage, Path home, Path screenshots) {
        FakeDesktop desktop = new FakeDesktop();
        Services services = Composition.create(new Home(home), new BackgroundJobs(Platform::runLater), desktop,
                desktop);
        WindowViewModel model = new WindowViewModel(services);
        Scene scene = WindowStage.populate(stage, model, services, stage::hide);
        stage.setWidth(SMALL.getWidth());
        stage.setHeight(SMALL.getHeight());
        stage.show();
        model.load();
        return new RealWindow(desktop, model, scene, screenshots);
    }

    /// Runs an action on the JavaFX thread and waits for its effects.
    void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
        WaitForAsyncUtils.waitForFxEvents();
    }

    void waitFor(int seconds, Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(seconds, TimeUnit.SECONDS, () -> WaitForAsyncUtils.asyncFx(condition).get());
        WaitForAsyncUtils.waitForFxEvents();
    }

    void screenshot(String name) throws Exception {
        // Images load in the background.
        Thread.sleep(500);
        screenshotNow(name);
    }

    /// Takes the screenshot without waiting for images.
    void screenshotNow(String name) throws Exception {
        WaitForAsyncUtils.waitForFxEvents();
        Path file = screenshots.resolve(name + ".png");
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(
                SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(), null), "png",
                file.toFile()));
    }
}
