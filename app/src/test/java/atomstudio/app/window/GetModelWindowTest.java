package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.FakeHub;
import atomstudio.app.runtime.Assets;
import java.nio.file.Files;
import java.nio.file.Path;
import javafx.scene.control.Button;
import javafx.scene.control.CheckBox;
import javafx.stage.Stage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// "Get a model" in the real window: a model of a local hub is downloaded and generates an image.
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class GetModelWindowTest {
    @TempDir
    private static Path folder;

    private FakeHub hub;
    private RealWindow window;

    @Start
    void start(Stage stage) throws Exception {
        hub = FakeHub.start();
        hub.repository("atom/small").addFolder(Assets.find().defaultModel());
        hub.limitSpeed(20_000_000);
        window = RealWindow.open(stage, Files.createTempDirectory(folder, "home"));
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void modelIsDownloadedUsedAndGenerates(FxRobot robot) throws Exception {
        window.run(() -> {
            window.model().openModels();
            window.model().downloads().settings().saveAddress(hub.address().toString());
        });
        window.waitFor(20, () -> window.model().models().current().get() != null);
        robot.clickOn("#repository").write("atom/small");
        robot.clickOn("#find-repository");
        window.waitFor(20, () -> robot.lookup("#download-model").tryQuery().isPresent());
        window.screenshot("get-model-offer");
        assertTrue(robot.lookup("#download-model").queryAs(Button.class).isDisabled());
        window.run(() -> robot.lookup("#accept-licence").queryAs(CheckBox.class).fire());
        window.run(() -> robot.lookup("#download-model").queryAs(Button.class).fire());
        window.waitFor(20, () -> window.model().downloads().status().get().share() > 0);
        window.screenshot("get-model-progress");
        window.run(window.model()::openGenerate);
        window.waitFor(60, () -> robot.lookup("#notice-use-it-now").tryQuery().isPresent());
        window.screenshot("get-model-notice");
        robot.clickOn("#notice-use-it-now");
        window.waitFor(20, () -> window.model().models().current().get().path().endsWith("models/atom/small"));
        window.run(window.model()::openModels);
        window.waitFor(20, () -> window.model().models().details().size() == 2);
        window.screenshot("get-model-listed");
        assertEquals(1, robot.lookup(".model-card .button")
                .queryAllAs(Button.class)
                .stream()
                .filter(button -> button.getText().equals("Delete"))
                .count());
    }
}
