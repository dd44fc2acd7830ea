package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.Settings;
import atomstudio.app.generate.LargePictureViewModel;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.tune.RunProgress;
import atomstudio.app.tune.TuneProcess;
import atomstudio.app.tune.TuneViewModel;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.PngText;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.TrainingSetting;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.control.ToggleButton;
import javafx.scene.input.KeyCode;
import javafx.scene.text.Text;
import javafx.stage.Stage;
import javafx.stage.WindowEvent;
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
        fake.tuner.validateAfter = 1;
        robot.clickOn("#method-atoms");
        robot.clickOn("#start");
        waitFor(() -> robot.lookup("#progress-card").query().isVisible());
        waitFor(() -> model.queue().progress().get().step() > 3);
        assertEquals("cancel-run", scene.getFocusOwner().getId());
        waitFor(() -> model.queue().progress().get().history().checks().size() > 1);
        shoot("tuning");
        waitFor(() -> robot.lookup("#row-car-atoms").tryQuery().isPresent());
        assertEquals("generate", scene.getFocusOwner().getId());
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 8);
        waitFor(() -> model.subjects().getFirst().generate().busy().get().isEmpty());
        assertEquals("generate", scene.getFocusOwner().getId());
        waitFor(() -> robot.lookup("#row-car-atoms .measures").query().isVisible());
        assertEquals("likeness 0.70, diversity 0.30, alignment 0.24, by image_encoder of Small illustrated", robot.lookup("#row-car-atoms .measures").query().getAccessibleText());
        assertEquals("Likeness, diversity and alignment by image_encoder of Small illustrated.", robot.lookup("#measured-by").queryAs(Label.class).getText());
        shoot("galleries");
        assertEquals(2, fake.made.size());
        assertEquals("a car in the snow", fake.made.get(0).prompt());
        assertEquals("a sks car in the snow", fake.made.get(1).prompt());
        robot.clickOn(robot.lookup(".picture-button").nth(1).<Node>query());
        waitFor(() -> robot.lookup("#large-picture").query().isVisible());
        shoot("large");
    }

    @Test void theClassWordIsAskedAndSuggestedAndStartWaitsForIt(FxRobot robot) throws Exception {
        Path picture = home.resolve("thing.png");
        PngWriter.write(picture, Picture.filled(40, 40, 0x8844AA), Map.of());
        Path notes = Files.writeString(home.resolve("notes.txt"), "hello");
        WaitForAsyncUtils.asyncFx(() -> model.dropped(List.of(picture, notes))).get();
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent());
        assertTrue(robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertTrue(robot.lookup(".note-error").queryAllAs(Label.class).stream().anyMatch(note -> note.getText().startsWith("notes.txt: expected a JPEG")));
        shoot("asked");
        robot.clickOn("#class-word").write("pol");
        waitFor(() -> robot.lookup(".context-menu").tryQuery().isPresent());
        robot.type(KeyCode.DOWN, KeyCode.ENTER);
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertEquals("sks police car", model.subjects().getFirst().subject().subject().get().phrase());
    }

    @Test void aWordOfTwoPartsCanBeTypedThroughTheSuggestions(FxRobot robot) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> model.start().take(FakeServices.sample("car"))).get();
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent());
        robot.doubleClickOn("#class-word").write("police van");
        waitFor(() -> model.subjects().getFirst().subject().subject().get().className().equals("police van"));
        assertEquals("police van", robot.lookup("#class-word").queryAs(TextField.class).getText());
    }

    @Test void picturesAreLookedAtWithTheKeyboard(FxRobot robot) throws Exception {
        compared(robot);
        robot.clickOn(robot.lookup(".picture-button").nth(1).<Node>query());
        LargePictureViewModel large = model.subjects().getFirst().large();
        waitFor(() -> large.shown().get() != null);
        robot.type(KeyCode.DOWN, KeyCode.RIGHT);
        assertEquals("Filter atoms · seed 2", large.shown().get().title());
        fake.desktop.target = home.resolve("saved.png");
        robot.clickOn("#save-picture");
        waitFor(() -> large.note().get().startsWith("Saved to"));
        assertTrue(PngText.read(fake.desktop.target).get("parameters").startsWith("a sks car in the snow"));
        for (int i = 0; i < 5; i++) {
            robot.type(KeyCode.TAB);
            assertTrue(robot.lookup("#large-picture").query().isFocusWithin(), "the keyboard stays in the card");
        }
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> !robot.lookup("#large-picture").query().isVisible());
        assertTrue(scene.getFocusOwner().getStyleClass().contains("picture-button"), "the keyboard returns to " + scene.getFocusOwner());
    }

    @Test void anAdapterIsExportedWhereItsRowIs(FxRobot robot) throws Exception {
        compared(robot);
        fake.desktop.target = Path.of("/somewhere/car.safetensors");
        robot.clickOn("#export-car-atoms");
        waitFor(() -> !fake.exported.isEmpty());
        assertTrue(robot.lookup("#row-car-atoms .note").queryAllAs(Label.class).stream().anyMatch(note -> note.getText().equals("Exported to /somewhere/car.safetensors")));
    }

    @Test void thePromptIsTypedAroundTheSubjectsChip(FxRobot robot) throws Exception {
        compared(robot);
        robot.clickOn("#prompt").eraseText(11).write("on a table");
        robot.type(KeyCode.HOME, KeyCode.LEFT);
        robot.write(" big");
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a big sks car on a table", model.subjects().getFirst().generate().prompt().get().text("sks car"));
        robot.clickOn("#prompt").type(KeyCode.HOME, KeyCode.BACK_SPACE);
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a big on a table", model.subjects().getFirst().generate().prompt().get().text("sks car"));
    }

    @Test void closingDuringARunAsksAndKeepsTheRun(FxRobot robot) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> model.start().take(FakeServices.sample("car"))).get();
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent() && !robot.lookup("#start").queryAs(Button.class).isDisabled());
        fake.tuner.stepsAtOnce = 1;
        robot.clickOn("#start");
        waitFor(() -> model.queue().progress().get().step() > 1);
        robot.interact(() -> scene.getWindow().fireEvent(new WindowEvent(scene.getWindow(), WindowEvent.WINDOW_CLOSE_REQUEST)));
        waitFor(() -> robot.lookup("#close-stay").query().isVisible());
        shoot("closing");
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> model.closing().state().get() == ClosingViewModel.State.OPEN);
        robot.interact(() -> scene.getWindow().fireEvent(new WindowEvent(scene.getWindow(), WindowEvent.WINDOW_CLOSE_REQUEST)));
        robot.clickOn("#close-keep");
        waitFor(() -> closed);
        assertEquals(List.of(TuneProcess.Order.STOP), fake.tuner.heard);
    }

    @Test void aMethodAndItsSettingsAreChosenWithTheKeyboard(FxRobot robot) throws Exception {
        subject(robot);
        TuneViewModel tune = model.subjects().getFirst().tune();
        focus(robot, "#method-lora");
        robot.type(KeyCode.SPACE, KeyCode.DOWN);
        waitFor(() -> tune.method().settings().get().choice() == Choice.ATOMS);
        focus(robot, "#more-methods");
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup("#method-lokr").query().isVisible());
        shoot("methods");
        focus(robot, "#method-lokr");
        robot.type(KeyCode.SPACE);
        waitFor(() -> tune.method().settings().get().choice() == Choice.LOKR);
        focus(robot, "#more-methods");
        robot.type(KeyCode.SPACE);
        assertEquals("▸ more methods: LoKr", robot.lookup("#more-methods").queryAs(ToggleButton.class).getText());
        focus(robot, "#fold-method");
        robot.type(KeyCode.SPACE);
        focus(robot, "#option-rank");
        robot.write("none");
        waitFor(() -> robot.lookup(".note-error").queryAllAs(Label.class).stream().anyMatch(note -> note.isVisible() && note.getText().equals("rank: expected a whole number, found none")));
        assertTrue(robot.lookup("#start").queryAs(Button.class).isDisabled());
        shoot("method-settings-wrong");
        robot.eraseText(4).write("8");
        focus(robot, "#option-text-encoder");
        robot.type(KeyCode.SPACE);
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertFalse(robot.lookup("#option-atoms").query().getParent().isVisible());
        focus(robot, "#fold-method");
        robot.type(KeyCode.SPACE);
        assertEquals("▸ method settings: rank 8 · text encoder", robot.lookup("#fold-method").queryAs(ToggleButton.class).getText());
    }

    @Test void trainingSettingsAreFoldedAwayAndSaidAndAdviceMakesARunFit(FxRobot robot) throws Exception {
        subject(robot);
        focus(robot, "#fold-training");
        robot.type(KeyCode.SPACE);
        focus(robot, "#option-steps");
        robot.write("50");
        focus(robot, "#option-flip");
        robot.type(KeyCode.SPACE);
        shoot("training-settings");
        for (TrainingSetting setting : TrainingSetting.values()) {
            Node control = robot.lookup("#option-" + setting.command()).query();
            assertTrue(control.isFocusTraversable() && control.getAccessibleText().length() > setting.command().length() + 2, setting.command());
        }
        focus(robot, "#fold-training");
        robot.type(KeyCode.SPACE);
        assertEquals("▸ more settings: steps 50 · flip", robot.lookup("#fold-training").queryAs(ToggleButton.class).getText());
        focus(robot, "#will-it-fit");
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup(".apply-advice").queryAll().size() == 2);
        shoot("does-not-fit");
        robot.interact(() -> robot.lookup(".apply-advice").nth(0).<Node>query().requestFocus());
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup("#fit .note-good").queryAllAs(Label.class).stream().anyMatch(note -> note.isVisible() && note.getText().startsWith("fits · 1.2 GB of 3.1 GB")));
        shoot("fits");
    }

    /// A subject's page that is ready to tune.
    private void subject(FxRobot robot) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> model.start().take(FakeServices.sample("car"))).get();
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent() && !robot.lookup("#start").queryAs(Button.class).isDisabled());
    }

    private static void focus(FxRobot robot, String id) {
        robot.interact(() -> robot.lookup(id).query().requestFocus());
        WaitForAsyncUtils.waitForFxEvents();
    }

    @Test void pauseBecomesResume(FxRobot robot) throws Exception {
        WaitForAsyncUtils.asyncFx(() -> model.start().take(FakeServices.sample("owl"))).get();
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent() && !robot.lookup("#start").queryAs(Button.class).isDisabled());
        fake.tuner.stepsAtOnce = 1;
        robot.clickOn("#start");
        waitFor(() -> model.queue().progress().get().step() > 1);
        robot.clickOn("#pause-run");
        waitFor(() -> model.queue().progress().get().state() == RunProgress.State.PAUSED);
        assertEquals("Resume", robot.lookup("#pause-run").queryAs(Button.class).getText());
        robot.clickOn("#ask-now");
        waitFor(() -> robot.lookup("#ask-picture").query().isVisible() && model.queue().progress().get().asked() == 1);
        assertEquals(List.of("a sks owl on the beach"), fake.tuner.prompts);
        waitFor(() -> !robot.lookup("#ask-now").queryAs(Button.class).isDisabled());
        shoot("paused");
        robot.clickOn("#pause-run");
        waitFor(() -> model.queue().progress().get().state() == RunProgress.State.TUNING);
        robot.clickOn("#cancel-run");
        waitFor(() -> !model.queue().busy() && robot.lookup(".resume-run").tryQuery().isPresent());
        shoot("cancelled");
    }

    @Test void aFolderThatIsNoModelIsRefusedOnTheModelsPage(FxRobot robot) throws Exception {
        robot.clickOn("#open-models");
        fake.desktop.folder = Path.of("/music");
        robot.clickOn("#open-model");
        waitFor(() -> robot.lookup(".note-error").queryAllAs(Label.class).stream().anyMatch(note -> note.getText().startsWith("/music: is not a model folder")));
        shoot("models");
        fake.desktop.folder = Path.of("/models/other");
        robot.clickOn("#open-model");
        waitFor(() -> model.models().current().get().name().equals("Other"));
        robot.clickOn("#open-settings");
        robot.clickOn("#theme");
        WaitForAsyncUtils.waitForFxEvents();
        shoot("settings-dark");
        assertEquals(Settings.Theme.DARK, fake.desktop.get().theme());
        robot.clickOn("#open-generate").clickOn("#prompt").write("a red apple").type(KeyCode.ENTER);
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 4);
        assertEquals("a red apple", fake.made.getFirst().prompt());
        shoot("generate-dark");
        robot.clickOn("#theme");
    }

    /// A subject page with two rows of pictures.
    private void compared(FxRobot robot) throws Exception {
        fake.tuner.pace = Duration.ZERO;
        WaitForAsyncUtils.asyncFx(() -> model.start().take(FakeServices.sample("car"))).get();
        waitFor(() -> robot.lookup("#start").tryQuery().isPresent() && !robot.lookup("#start").queryAs(Button.class).isDisabled());
        WaitForAsyncUtils.asyncFx(() -> model.subjects().getFirst().tune().start(Choice.ATOMS)).get();
        waitFor(() -> robot.lookup("#row-car-atoms").tryQuery().isPresent());
        WaitForAsyncUtils.asyncFx(() -> model.subjects().getFirst().generate().generate()).get();
        waitFor(() -> robot.lookup(".picture-button").queryAll().size() == 8 && model.subjects().getFirst().generate().busy().get().isEmpty());
    }

    private static void waitFor(java.util.concurrent.Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(20, TimeUnit.SECONDS, condition);
        WaitForAsyncUtils.waitForFxEvents();
    }

    /// What holds on every page: at most one accented button, and no small text.
    private void judge() {
        Set<Node> accented = scene.getRoot().lookupAll(".accent");
        assertTrue(accented.stream().filter(WindowTest::seen).count() <= 1 || !model.closing().state().get().equals(ClosingViewModel.State.OPEN), "accented: " + accented);
        Set<Node> texts = scene.getRoot().lookupAll(".text");
        assertTrue(texts.size() > 8, "texts found: " + texts.size());
        for (Node node : texts) {
            if (node instanceof Text text && seen(text) && !text.getText().isBlank()) assertTrue(text.getFont().getSize() >= 11.5, text.getText() + " has " + text.getFont());
        }
    }

    private static boolean seen(Node node) {
        for (Node at = node; at != null; at = at.getParent()) if (!at.isVisible()) return false;
        return true;
    }

    /// Into target/screenshots, for people to look at.
    private void shoot(String name) throws Exception {
        WaitForAsyncUtils.asyncFx(this::judge).get();
        BufferedImage image = SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(), null);
        Path file = Path.of("target/screenshots", name + ".png");
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(image, "png", file.toFile()));
        assertFalse(closed);
    }
}
