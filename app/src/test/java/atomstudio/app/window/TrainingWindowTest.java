package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.focus;
import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.process.TrainingProcess;
import atomstudio.app.runs.RunLabel;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.train.TrainViewModel;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.RadioButton;
import javafx.scene.control.TableView;
import javafx.scene.input.KeyCode;
import javafx.stage.Stage;
import javafx.stage.WindowEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// Training in the real window: methods, settings, pause, cancel, closing.
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class TrainingWindowTest {
    @TempDir
    static Path home;

    private FakeWindow window;

    @Start
    void start(Stage stage) throws IOException {
        window = FakeWindow.open(stage, home);
    }

    @Test
    void closingDuringRunCanSave(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        window.fake().launcher.stepsPerWait = 1;
        window.fake().launcher.delay = Duration.ofSeconds(1);
        robot.clickOn("#start");
        waitFor(() -> window.model().queue().progress().get().step() > 1);
        robot.interact(() -> window.scene()
                .getWindow()
                .fireEvent(new WindowEvent(window.scene().getWindow(), WindowEvent.WINDOW_CLOSE_REQUEST)));
        waitFor(() -> robot.lookup("#close-cancel").query().isVisible());
        window.screenshot("closing");
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> window.model().closing().state().get() == ClosingViewModel.ClosingState.OPEN);
        robot.interact(() -> window.scene()
                .getWindow()
                .fireEvent(new WindowEvent(window.scene().getWindow(), WindowEvent.WINDOW_CLOSE_REQUEST)));
        robot.clickOn("#close-save");
        waitFor(window.closed()::get);
        assertEquals(List.of(TrainingProcess.ProcessCommand.STOP), window.fake().launcher.commands);
    }

    @Test
    void keyboardSelectsMethodAndSettings(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        TrainViewModel train = window.model().subjects().pages().getFirst().train();
        focus(robot, "#method-lora");
        robot.type(KeyCode.SPACE, KeyCode.UP);
        waitFor(() -> train.method().settings().get().choice() == MethodName.ATOMS_AND_WORD);
        assertTrue(robot.lookup("#method-lokr").tryQuery().isEmpty());
        WaitForAsyncUtils.asyncFx(() -> train.method().choose(MethodName.LOKR)).get();
        waitFor(() -> robot.lookup("#method-lokr").queryAs(RadioButton.class).isSelected());
        window.screenshot("methods");
        focus(robot, "#options");
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup("#training-form").query().isVisible());
        focus(robot, "#option-rank");
        robot.write("none");
        waitFor(() -> robot.lookup(".note-error")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.isVisible()
                        && note.getText().equals("rank: expected a whole number, found none")));
        assertTrue(robot.lookup("#start").queryAs(Button.class).isDisabled());
        window.screenshot("method-settings-invalid");
        robot.eraseText(4).write("8");
        focus(robot, "#option-train-text-encoder");
        robot.type(KeyCode.SPACE);
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertFalse(robot.lookup("#option-atoms").query().getParent().isVisible());
        waitFor(() -> hasNote(robot, "Rank 8 · Train text encoder (LoRA)"));
    }

    private static boolean hasNote(FxRobot robot, String text) {
        return robot.lookup(".note")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.isVisible() && note.getText().equals(text));
    }

    @Test
    void optionsAreSearchedAndAdviceApplies(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        focus(robot, "#options");
        robot.type(KeyCode.SPACE);
        focus(robot, "#option-steps");
        robot.write("50");
        focus(robot, "#option-flip");
        robot.type(KeyCode.SPACE);
        window.screenshot("training-settings");
        for (TrainingSetting setting : TrainingSetting.values()) {
            Node control = robot.lookup("#option-" + setting.option()).query();
            assertTrue(control.isFocusTraversable()
                    && control.getAccessibleText().length() > setting.option().length() + 2, setting.option());
        }
        waitFor(() -> hasNote(robot, "Steps 50 · Horizontal flip"));
        robot.clickOn("#search-options").write("checkpointing");
        waitFor(() -> robot.lookup("#option-gradient-checkpointing").query().getParent().isVisible()
                && !robot.lookup("#option-steps").query().getParent().isVisible());
        robot.clickOn("#close-options");
        waitFor(() -> !robot.lookup("#training-form").query().isVisible());
        focus(robot, "#check-memory");
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup(".apply-advice").queryAll().size() == 2);
        window.screenshot("does-not-fit");
        robot.interact(() -> robot.lookup(".apply-advice").nth(0).<Node>query().requestFocus());
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup("#memory-check .note-good")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.isVisible() && note.getText().startsWith("Fits: 1.2 GB of 3.1 GB")));
        window.screenshot("fits");
    }

    @Test
    void runsAreSearchedRenamedAndDuplicated(FxRobot robot) throws Exception {
        window.openSubject(robot, "boat");
        window.fake().launcher.delay = Duration.ZERO;
        SubjectPageViewModel page = window.model().subjects().pages().getFirst();
        WaitForAsyncUtils.asyncFx(() -> {
            page.train().method().choose(MethodName.LORA);
            page.train().method().setText(MethodSetting.RANK, "8");
            page.train().start();
            page.train().resetSettings();
            page.train().start(MethodName.ATOMS);
        }).get();
        waitFor(() -> page.runs().runs().size() == 2);
        waitFor(() -> window.model()
                .notices()
                .notices()
                .stream()
                .anyMatch(notice -> notice.text().startsWith("“boat” was trained: Filter atoms, in 5.0 s")));
        RunSummary lora = page.runs().runs().stream().filter(run -> run.title().startsWith("LoRA")).findFirst().get();
        WaitForAsyncUtils.asyncFx(() -> page.runs().label(lora, new RunLabel("first try", "too bright"))).get();
        TableView<?> table = robot.lookup("#runs").queryAs(TableView.class);
        waitFor(() -> page.runs().runs().stream().anyMatch(run -> run.title().equals("first try")));
        robot.clickOn("#search-runs").write("bright");
        waitFor(() -> table.getItems().size() == 1);
        window.screenshot("runs");
        robot.clickOn(".run-menu").clickOn("Duplicate with changes");
        waitFor(() -> robot.lookup("#training-form").query().isVisible());
        assertEquals(8, page.train().method().settings().get().rank());
    }

    @Test
    void methodsAreMeasuredInTheBackground(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        waitFor(() -> robot.lookup("#method-lora")
                .queryAs(RadioButton.class)
                .getAccessibleText()
                .contains(
                        "about 51 s · 4.0 GB of memory"));
        assertEquals(3, window.fake().estimated.size());
    }

    @Test
    void pauseButtonBecomesResume(FxRobot robot) throws Exception {
        window.openSubject(robot, "owl");
        window.fake().launcher.stepsPerWait = 1;
        robot.clickOn("#start");
        waitFor(() -> window.model().queue().progress().get().step() > 1);
        robot.clickOn("#pause-run");
        waitFor(() -> window.model().queue().progress().get().phase() == RunProgress.RunPhase.PAUSED);
        assertEquals("Resume", robot.lookup("#pause-run").queryAs(Button.class).getText());
        robot.clickOn("#preview-now");
        waitFor(() -> robot.lookup("#preview-request").query().isVisible()
                && window.model().queue().progress().get().manualPreviews() == 1);
        assertEquals(List.of("a sks owl on the beach"), window.fake().launcher.prompts);
        waitFor(() -> !robot.lookup("#preview-now").queryAs(Button.class).isDisabled());
        window.screenshot("paused");
        robot.clickOn(robot.lookup(".preview-tile").nth(0).<Node>query());
        waitFor(() -> robot.lookup("#large-preview").query().isVisible());
        window.screenshot("large-preview");
        robot.type(KeyCode.RIGHT, KeyCode.ESCAPE);
        waitFor(() -> !robot.lookup("#large-preview").query().isVisible());
        robot.clickOn("#pause-run");
        waitFor(() -> window.model().queue().progress().get().phase() == RunProgress.RunPhase.TRAINING);
        robot.clickOn("#cancel-run");
        waitFor(() -> !window.model().queue().isBusy() && robot.lookup(".resume-run").tryQuery().isPresent());
        window.screenshot("cancelled");
    }
}
