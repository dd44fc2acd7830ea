package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.generate.LargeImageViewModel;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.method.MethodName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;
import javafx.stage.Stage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// Subjects, pictures and models, as a person at the window meets them.
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class WindowTest {
    @TempDir
    static Path home;

    private FakeWindow window;

    @Start
    void start(Stage stage) throws IOException {
        window = FakeWindow.open(stage, home);
    }

    @Test
    void fromASampleToTheGalleries(FxRobot robot) throws Exception {
        waitFor(() -> robot.lookup("#sample-car").tryQuery().isPresent());
        window.shoot("start");
        robot.clickOn("#sample-car");
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent());
        assertEquals("car", robot.lookup("#class-word").queryAs(TextField.class).getText());
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        WaitForAsyncUtils.waitForFxEvents();
        window.shoot("subject");
        window.fake().tuner.validateAfter = 1;
        robot.clickOn("#method-lora");
        robot.clickOn("#start");
        waitFor(() -> robot.lookup("#progress-card").query().isVisible());
        waitFor(() -> window.model().queue().progress().get().step() > 3);
        assertEquals("cancel-run", window.scene().getFocusOwner().getId());
        waitFor(() -> window.model().queue().progress().get().history().validations().size() > 1);
        window.shoot("tuning");
        waitFor(() -> robot.lookup("#row-car-lora").tryQuery().isPresent());
        assertEquals("generate", window.scene().getFocusOwner().getId());
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 8);
        waitFor(() -> window.model().subjects().getFirst().generate().busy().get().isEmpty());
        assertEquals("generate", window.scene().getFocusOwner().getId());
        waitFor(() -> robot.lookup("#row-car-lora .measures").query().isVisible());
        assertEquals("likeness 0.70, diversity 0.30, alignment 0.24, by image_encoder of Small illustrated",
                robot.lookup("#row-car-lora .measures").query().getAccessibleText());
        assertEquals("Likeness, diversity and alignment by image_encoder of Small illustrated.",
                robot.lookup("#measured-by").queryAs(Label.class).getText());
        window.shoot("galleries");
        assertEquals(2, window.fake().made.size());
        assertEquals("a car in the snow", window.fake().made.get(0).prompt());
        assertEquals("a sks car in the snow", window.fake().made.get(1).prompt());
        robot.clickOn(robot.lookup(".picture-button").nth(1).<Node>query());
        waitFor(() -> robot.lookup("#large-picture").query().isVisible());
        window.shoot("large");
    }

    @Test
    void theClassWordIsAskedAndSuggestedAndStartWaitsForIt(FxRobot robot) throws Exception {
        Path picture = home.resolve("thing.png");
        PngWriter.write(picture, RgbImage.filled(40, 40, 0x8844AA), Map.of());
        Path notes = Files.writeString(home.resolve("notes.txt"), "hello");
        WaitForAsyncUtils.asyncFx(() -> window.model().onFilesDropped(List.of(picture, notes))).get();
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent());
        assertTrue(robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertTrue(robot.lookup(".note-error")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.getText().startsWith("notes.txt: expected a JPEG")));
        window.shoot("asked");
        robot.clickOn("#class-word").write("pol");
        waitFor(() -> robot.lookup(".context-menu").tryQuery().isPresent());
        robot.type(KeyCode.DOWN, KeyCode.ENTER);
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertEquals("sks police car", window.model().subjects().getFirst().subject().subject().get().promptPhrase());
    }

    @Test
    void aWordOfTwoPartsCanBeTypedThroughTheSuggestions(FxRobot robot) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> window.model().start().useSample(FakeServices.sample("car"))).get();
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent());
        robot.doubleClickOn("#class-word").write("police van");
        waitFor(() -> window.model().subjects().getFirst().subject().subject().get().className().equals("police van"));
        assertEquals("police van", robot.lookup("#class-word").queryAs(TextField.class).getText());
    }

    @Test
    void picturesAreLookedAtWithTheKeyboard(FxRobot robot) throws Exception {
        compared(robot);
        robot.clickOn(robot.lookup(".picture-button").nth(1).<Node>query());
        LargeImageViewModel large = window.model().subjects().getFirst().largeImage();
        waitFor(() -> large.shown().get() != null);
        robot.type(KeyCode.DOWN, KeyCode.RIGHT);
        assertEquals("LoRA rank 4 · seed 2", large.shown().get().title());
        window.fake().desktop.target = home.resolve("saved.png");
        robot.clickOn("#save-picture");
        waitFor(() -> large.message().get().startsWith("Saved to"));
        assertTrue(PngText.read(window.fake().desktop.target).get("parameters").startsWith("a sks car in the snow"));
        for (int i = 0; i < 5; i++) {
            robot.type(KeyCode.TAB);
            assertTrue(robot.lookup("#large-picture").query().isFocusWithin(), "the keyboard stays in the card");
        }
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> !robot.lookup("#large-picture").query().isVisible());
        assertTrue(window.scene().getFocusOwner().getStyleClass().contains("picture-button"),
                "the keyboard returns to " + window.scene().getFocusOwner());
    }

    @Test
    void anAdapterIsExportedWhereItsRowIs(FxRobot robot) throws Exception {
        compared(robot);
        window.fake().desktop.target = Path.of("/somewhere/car.safetensors");
        robot.clickOn("#export-car-lora");
        waitFor(() -> !window.fake().exported.isEmpty());
        assertTrue(robot.lookup("#row-car-lora .note")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.getText().equals("Exported to /somewhere/car.safetensors")));
    }

    @Test
    void thePromptIsTypedAroundTheSubjectsChip(FxRobot robot) throws Exception {
        compared(robot);
        robot.clickOn("#prompt").eraseText(11).write("on a table");
        robot.type(KeyCode.HOME, KeyCode.LEFT);
        robot.write(" big");
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a big sks car on a table",
                window.model().subjects().getFirst().generate().prompt().get().text("sks car"));
        robot.clickOn("#prompt").type(KeyCode.HOME, KeyCode.BACK_SPACE);
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a big on a table",
                window.model().subjects().getFirst().generate().prompt().get().text("sks car"));
    }

    @Test
    void aFolderThatIsNoModelIsRefusedOnTheModelsPage(FxRobot robot) throws Exception {
        robot.clickOn("#open-models");
        window.fake().desktop.folder = Path.of("/music");
        robot.clickOn("#open-model");
        waitFor(() -> robot.lookup(".note-error")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.getText().startsWith("/music: is not a model folder")));
        window.shoot("models");
        window.fake().desktop.folder = Path.of("/models/other");
        robot.clickOn("#open-model");
        waitFor(() -> window.model().models().current().get().name().equals("Other"));
        robot.clickOn("#open-settings");
        robot.clickOn("#theme");
        WaitForAsyncUtils.waitForFxEvents();
        window.shoot("settings-dark");
        assertEquals(AppSettings.Theme.DARK, window.fake().desktop.get().theme());
        robot.clickOn("#open-generate").clickOn("#prompt").write("a red apple").type(KeyCode.ENTER);
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 4);
        assertEquals("a red apple", window.fake().made.getFirst().prompt());
        window.shoot("generate-dark");
        robot.clickOn("#theme");
    }

    /// A subject page with two rows of pictures.
    private void compared(FxRobot robot) throws Exception {
        window.fake().tuner.pace = Duration.ZERO;
        window.subject(robot, "car");
        WaitForAsyncUtils.asyncFx(() -> window.model().subjects().getFirst().train().start(MethodName.LORA)).get();
        waitFor(() -> robot.lookup("#row-car-lora").tryQuery().isPresent());
        WaitForAsyncUtils.asyncFx(() -> window.model().subjects().getFirst().generate().generate()).get();
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 8
                && window.model().subjects().getFirst().generate().busy().get().isEmpty());
    }
}
