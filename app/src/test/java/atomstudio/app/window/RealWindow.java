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
import javafx.scene.Scene;
import javafx.stage.Stage;
import javax.imageio.ImageIO;
import org.testfx.util.WaitForAsyncUtils;

/// The window with its real services, choosers apart, on the headless platform: what screenshots are taken of.
record RealWindow(FakeDesktop desktop, WindowViewModel model, Scene scene, Path pictures) {
    /// Where those go that the README shows.
    static final Path DOCS = Shared.root().resolve("docs/screenshots");
    /// Where those go that show paths of the machine: for people to look at.
    static final Path TARGET = Path.of("target/screenshots");

    /// On the toolkit's thread.
    static RealWindow open(Stage stage, Path home, Path pictures) {
        FakeDesktop desktop = new FakeDesktop();
        Services services = Composition.create(new Home(home), new BackgroundJobs(Platform::runLater), desktop,
                desktop);
        WindowViewModel model = new WindowViewModel(services);
        Scene scene = WindowStage.populate(stage, model, services, stage::hide);
        stage.setWidth(1280);
        stage.setHeight(800);
        stage.show();
        model.load();
        return new RealWindow(desktop, model, scene, pictures);
    }

    /// Does something as a click would, and waits until it is seen.
    void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
        WaitForAsyncUtils.waitForFxEvents();
    }

    void waitFor(int seconds, Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(seconds, TimeUnit.SECONDS, () -> WaitForAsyncUtils.asyncFx(condition).get());
        WaitForAsyncUtils.waitForFxEvents();
    }

    void shoot(String name) throws Exception {
        // Pictures that load in the background.
        Thread.sleep(500);
        shootNow(name);
    }

    /// While something is on its way.
    void shootNow(String name) throws Exception {
        WaitForAsyncUtils.waitForFxEvents();
        Path file = pictures.resolve(name + ".png");
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(
                SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(), null), "png",
                file.toFile()));
    }
}
