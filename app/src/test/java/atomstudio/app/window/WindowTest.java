package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.focus;
import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.settings.AppSettings;
import atomstudio.app.subjects.SubjectPageViewModel;
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
import javafx.css.PseudoClass;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.TextField;
import javafx.scene.input.KeyCode;
import javafx.scene.layout.Region;
import javafx.stage.Stage;
import jfx.incubator.scene.control.richtext.CodeArea;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// Subjects, images and models in the real window.
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
    void sampleCanBeTrainedAndCompared(FxRobot robot) throws Exception {
        waitFor(() -> robot.lookup("#sample-car").tryQuery().isPresent());
        window.screenshot("start");
        robot.clickOn("#sample-car");
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent());
        assertEquals("car", robot.lookup("#class-word").queryAs(TextField.class).getText());
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        WaitForAsyncUtils.waitForFxEvents();
        window.screenshot("subject");
        window.fake().launcher.validateAfter = 1;
        robot.clickOn("#method-lora");
        robot.clickOn("#start");
        waitFor(() -> robot.lookup("#progress-card").query().isVisible());
        waitFor(() -> window.model().queue().progress().get().step() > 3);
        assertEquals("start", window.scene().getFocusOwner().getId());
        assertEquals("Add to queue after “LoRA rank 4”", robot.lookup("#start").queryAs(Button.class).getText());
        waitFor(() -> window.model().queue().progress().get().history().validations().size() > 1);
        window.screenshot("training");
        waitFor(() -> !window.model().queue().isBusy());
        robot.clickOn("#tab-compare");
        waitFor(() -> robot.lookup("#row-car-lora").tryQuery().isPresent());
        focus(robot, "#generate");
        robot.type(KeyCode.SPACE);
        waitFor(() -> shownImages(robot) == 8);
        waitFor(() -> window.model().subjects().pages().getFirst().compare().batches().busy().get().isEmpty());
        assertEquals("generate", window.scene().getFocusOwner().getId());
        waitFor(() -> robot.lookup("#row-car-lora .metrics").query().isVisible());
        assertEquals("Likeness 0.70, diversity 0.30, alignment 0.24, measured with image_encoder of Small illustrated",
                robot.lookup("#row-car-lora .metrics").query().getAccessibleText());
        assertEquals(
                "Measured with image_encoder of Small illustrated. High likeness with low alignment means the prompt "
                        + "is ignored.",
                robot.lookup("#measured-by").queryAs(Label.class).getText());
        assertEquals(robot.lookup("#compare-settings").queryAs(Region.class).getHeight(),
                robot.lookup("#compare-columns").queryAs(Region.class).getHeight(), 2, "controls of a line");
        window.screenshot("galleries");
        assertEquals(2, window.fake().requests.size());
        assertEquals("a car in the snow", window.fake().requests.get(0).prompt());
        assertEquals("a sks car in the snow", window.fake().requests.get(1).prompt());
        robot.clickOn(robot.lookup(".image-button").nth(1).<Node>query());
        waitFor(() -> robot.lookup("#large-image").query().isVisible());
        window.screenshot("large");
    }

    @Test
    void startRequiresClassWord(FxRobot robot) throws Exception {
        Path photo = home.resolve("thing.png");
        PngWriter.write(photo, RgbImage.filled(40, 40, 0x8844AA), Map.of());
        Path notes = Files.writeString(home.resolve("notes.txt"), "hello");
        WaitForAsyncUtils.asyncFx(() -> window.model().drops().drop(List.of(photo, notes))).get();
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent());
        assertEquals(SubjectPageViewModel.PageTab.PHOTOS, window.model().subjects().pages().getFirst().tab().get());
        assertTrue(robot.lookup(".note-error")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.getText().startsWith("notes.txt: expected a JPEG")));
        window.screenshot("class-word");
        robot.clickOn("#tab-train");
        assertTrue(robot.lookup("#start").queryAs(Button.class).isDisabled());
        robot.clickOn("#class-word").write("pol");
        waitFor(() -> robot.lookup(".context-menu").tryQuery().isPresent());
        robot.type(KeyCode.DOWN, KeyCode.ENTER);
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertEquals("sks police car",
                window.model().subjects().pages().getFirst().subject().subject().get().promptPhrase());
    }

    @Test
    void classWordMayHaveTwoWords(FxRobot robot) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> window.model().start().useSample(FakeServices.sample("car"))).get();
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent());
        robot.doubleClickOn("#class-word").write("police van");
        waitFor(() -> window.model()
                .subjects()
                .pages()
                .getFirst()
                .subject()
                .subject()
                .get()
                .className()
                .equals("police van"));
        assertEquals("police van", robot.lookup("#class-word").queryAs(TextField.class).getText());
    }

    @Test
    void keyboardNavigatesLargeImage(FxRobot robot) throws Exception {
        openComparison(robot);
        robot.clickOn(robot.lookup(".image-button").nth(1).<Node>query());
        LargeImageViewModel large = window.model().subjects().pages().getFirst().largeImage();
        waitFor(() -> large.shown().get() != null);
        robot.type(KeyCode.DOWN, KeyCode.RIGHT);
        assertEquals("car-lora · seed 2", large.shown().get().image().title());
        window.fake().desktop.saveTarget = home.resolve("saved.png");
        robot.clickOn("#save-image");
        waitFor(() -> large.message().get().startsWith("Saved to"));
        assertTrue(
                PngText.read(window.fake().desktop.saveTarget).get("parameters").startsWith("a sks car in the snow"));
        for (int i = 0; i < 5; i++) {
            robot.type(KeyCode.TAB);
            assertTrue(robot.lookup("#large-image").query().isFocusWithin(), "focus stays in the overlay");
        }
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> !robot.lookup("#large-image").query().isVisible());
        assertTrue(window.scene().getFocusOwner().getStyleClass().contains("image-button"),
                "focus returns to " + window.scene().getFocusOwner());
    }

    @Test
    void rowExportsAdapter(FxRobot robot) throws Exception {
        openComparison(robot);
        window.fake().desktop.saveTarget = Path.of("/somewhere/car.safetensors");
        MenuButton adapter = robot.lookup("#export-adapter").queryAs(MenuButton.class);
        robot.interact(() -> adapter.getItems().getFirst().fire());
        waitFor(() -> robot.lookup("#export-selected").tryQuery().isPresent());
        Label limits = robot.lookup("#export-limits-kohya").queryAs(Label.class);
        assertTrue(limits.getText().startsWith("ComfyUI, Forge and InvokeAI"), limits.getText());
        robot.clickOn("#export-format-kohya").clickOn("#export-selected");
        waitFor(() -> !window.fake().exported.isEmpty());
        WaitForAsyncUtils.waitForFxEvents();
        assertTrue(robot.lookup("#compare-export .note")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.getText().equals("Exported to /somewhere/car.safetensors")));
    }

    @Test
    void promptIsEditedAroundChip(FxRobot robot) throws Exception {
        openComparison(robot);
        TextField first = robot.lookup("#prompt-before").queryAs(TextField.class);
        focus(robot, "#prompt-before");
        assertEquals("", first.getSelectedText(), "typing would replace one half of the prompt");
        assertEquals(first.getLength(), first.getCaretPosition());
        robot.clickOn("#prompt").eraseText(11).write("on a table");
        robot.type(KeyCode.HOME, KeyCode.LEFT);
        robot.write(" big");
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a big sks car on a table",
                window.model().subjects().pages().getFirst().generate().prompt().get().text("sks car"));
        robot.clickOn("#prompt").type(KeyCode.HOME, KeyCode.BACK_SPACE);
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a big on a table",
                window.model().subjects().pages().getFirst().generate().prompt().get().text("sks car"));
    }

    @Test
    void modelsPageRejectsOtherFolders(FxRobot robot) throws Exception {
        robot.clickOn("#open-models");
        window.fake().desktop.folder = Path.of("/music");
        robot.clickOn("#open-model");
        waitFor(() -> robot.lookup(".note-error")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.getText().startsWith("music is not a model folder")));
        window.screenshot("models");
        window.fake().desktop.folder = Path.of("/models/other");
        robot.clickOn("#open-model");
        waitFor(() -> window.model().models().current().get().name().equals("Other"));
        robot.clickOn("#open-settings");
        robot.clickOn("#theme");
        WaitForAsyncUtils.waitForFxEvents();
        window.screenshot("settings-dark");
        assertEquals(AppSettings.Theme.DARK, window.fake().desktop.get().theme());
        robot.clickOn("#open-generate").clickOn("#prompt").push(KeyCode.CONTROL, KeyCode.A).write("a red apple");
        assertEquals("a red apple", robot.lookup("#prompt").queryAs(CodeArea.class).getText());
        robot.push(KeyCode.CONTROL, KeyCode.ENTER);
        waitFor(() -> shownImages(robot) == 4);
        assertEquals("a red apple", window.fake().requests.getFirst().prompt());
        window.screenshot("generate-dark");
        robot.clickOn("#theme");
    }

    /// Opens a subject's page with two rows of images.
    private void openComparison(FxRobot robot) throws Exception {
        window.fake().launcher.delay = Duration.ZERO;
        window.openSubject(robot, "car");
        WaitForAsyncUtils.asyncFx(() -> window.model().subjects().pages().getFirst().train().start(MethodName.LORA))
                .get();
        WaitForAsyncUtils
                .asyncFx(() -> window.model()
                        .subjects()
                        .pages()
                        .getFirst()
                        .openTab(SubjectPageViewModel.PageTab.COMPARE))
                .get();
        // The notice of the finished run is in the way.
        WaitForAsyncUtils.asyncFx(() -> List.copyOf(window.model().notices().notices())
                .forEach(window.model().notices()::dismiss)).get();
        waitFor(() -> robot.lookup("#row-car-lora").tryQuery().isPresent());
        WaitForAsyncUtils.asyncFx(() -> window.model().subjects().pages().getFirst().generate().generate()).get();
        waitFor(() -> shownImages(robot) == 8
                && window.model().subjects().pages().getFirst().compare().batches().busy().get().isEmpty());
    }

    private static long shownImages(FxRobot robot) {
        return robot.lookup(".image-button")
                .queryAllAs(Button.class)
                .stream()
                .filter(button -> !button.getPseudoClassStates().contains(PseudoClass.getPseudoClass("empty")))
                .count();
    }
}
