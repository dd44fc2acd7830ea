package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.jobs.BackgroundJobs;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.TextField;
import javafx.stage.Stage;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// The real window on JavaFX's headless platform, with services that pretend.
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class WindowTest {
    @TempDir static Path home;

    private FakeServices fake;
    private WindowViewModel model;
    private Scene scene;
    private boolean closed;

    @Start void start(Stage stage) throws IOException {
        Path own = Files.createTempDirectory(home, "home");
        fake = new FakeServices(own, new BackgroundJobs(Platform::runLater));
        fake.tuner.pace = Duration.ofMillis(200);
        model = new WindowViewModel(fake.services);
        scene = StudioStage.fill(stage, model, fake.services, () -> {
            closed = true;
            stage.hide();
        });
        // The headless screen is 1000 x 1000.
        stage.setWidth(980);
        stage.setHeight(780);
        stage.show();
        model.load();
    }

    @Test void fromASampleToTheGalleries(FxRobot robot) throws Exception {
        waitFor(() -> robot.lookup("#sample-car").tryQuery().isPresent());
        shoot("start");
        robot.clickOn("#sample-car");
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent());
        assertEquals("car", robot.lookup("#class-word").queryAs(TextField.class).getText());
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        WaitForAsyncUtils.waitForFxEvents();
        shoot("subject");
        robot.clickOn("#method-atoms");
        robot.clickOn("#start");
        waitFor(() -> robot.lookup("#progress-card").query().isVisible());
        waitFor(() -> model.queue().progress().get().step() > 3);
        shoot("tuning");
        waitFor(() -> robot.lookup("#row-car-atoms").tryQuery().isPresent());
        robot.clickOn("#generate");
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 8);
        WaitForAsyncUtils.waitForFxEvents();
        shoot("galleries");
        assertEquals(2, fake.made.size());
        assertEquals("a car in the snow", fake.made.get(0).prompt());
        assertEquals("a sks car in the snow", fake.made.get(1).prompt());
        robot.clickOn(robot.lookup(".picture-button").nth(1).<Node>query());
        waitFor(() -> robot.lookup("#large-picture").query().isVisible());
        shoot("large");
    }

    private static void waitFor(java.util.concurrent.Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(20, TimeUnit.SECONDS, condition);
        WaitForAsyncUtils.waitForFxEvents();
    }

    /// Into target/screenshots, for people to look at.
    private void shoot(String name) throws Exception {
        BufferedImage image = SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(), null);
        Path file = Path.of("target/screenshots", name + ".png");
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(image, "png", file.toFile()));
        assertFalse(closed);
    }
}
