package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.focus;
import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.process.TrainingProcess;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.train.TrainViewModel;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ToggleButton;
import javafx.scene.input.KeyCode;
import javafx.stage.Stage;
import javafx.stage.WindowEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// Tuning, as a person at the window meets it: methods, settings, pause, cancel, closing.
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
    void closingDuringARunAsksAndKeepsTheRun(FxRobot robot) throws Exception {
        window.subject(robot, "car");
        window.fake().tuner.stepsAtOnce = 1;
        robot.clickOn("#start");
        waitFor(() -> window.model().queue().progress().get().step() > 1);
        robot.interact(() -> window.scene()
                .getWindow()
                .fireEvent(new WindowEvent(window.scene().getWindow(), WindowEvent.WINDOW_CLOSE_REQUEST)));
        waitFor(() -> robot.lookup("#close-stay").query().isVisible());
        window.shoot("closing");
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> window.model().closing().state().get() == ClosingViewModel.ClosingState.OPEN);
        robot.interact(() -> window.scene()
                .getWindow()
                .fireEvent(new WindowEvent(window.scene().getWindow(), WindowEvent.WINDOW_CLOSE_REQUEST)));
        robot.clickOn("#close-keep");
        waitFor(window.closed()::get);
        assertEquals(List.of(TrainingProcess.ProcessCommand.STOP), window.fake().tuner.heard);
    }

    @Test
    void aMethodAndItsSettingsAreChosenWithTheKeyboard(FxRobot robot) throws Exception {
        window.subject(robot, "car");
        TrainViewModel tune = window.model().subjects().getFirst().train();
        focus(robot, "#method-lora");
        robot.type(KeyCode.SPACE, KeyCode.DOWN);
        waitFor(() -> tune.method().settings().get().choice() == MethodName.ATOMS_AND_WORD);
        focus(robot, "#more-methods");
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup("#method-lokr").query().isVisible());
        window.shoot("methods");
        focus(robot, "#method-lokr");
        robot.type(KeyCode.SPACE);
        waitFor(() -> tune.method().settings().get().choice() == MethodName.LOKR);
        focus(robot, "#more-methods");
        robot.type(KeyCode.SPACE);
        assertEquals("▸ more methods: LoKr", robot.lookup("#more-methods").queryAs(ToggleButton.class).getText());
        focus(robot, "#fold-method");
        robot.type(KeyCode.SPACE);
        focus(robot, "#option-rank");
        robot.write("none");
        waitFor(() -> robot.lookup(".note-error")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.isVisible()
                        && note.getText().equals("rank: expected a whole number, found none")));
        assertTrue(robot.lookup("#start").queryAs(Button.class).isDisabled());
        window.shoot("method-settings-wrong");
        robot.eraseText(4).write("8");
        focus(robot, "#option-train-text-encoder");
        robot.type(KeyCode.SPACE);
        waitFor(() -> !robot.lookup("#start").queryAs(Button.class).isDisabled());
        assertFalse(robot.lookup("#option-atoms").query().getParent().isVisible());
        focus(robot, "#fold-method");
        robot.type(KeyCode.SPACE);
        assertEquals("▸ method settings: rank 8 · text encoder",
                robot.lookup("#fold-method").queryAs(ToggleButton.class).getText());
    }

    @Test
    void trainingSettingsAreFoldedAwayAndSaidAndAdviceMakesARunFit(FxRobot robot) throws Exception {
        window.subject(robot, "car");
        focus(robot, "#fold-training");
        robot.type(KeyCode.SPACE);
        focus(robot, "#option-steps");
        robot.write("50");
        focus(robot, "#option-flip");
        robot.type(KeyCode.SPACE);
        window.shoot("training-settings");
        for (TrainingSetting setting : TrainingSetting.values()) {
            Node control = robot.lookup("#option-" + setting.option()).query();
            assertTrue(control.isFocusTraversable()
                    && control.getAccessibleText().length() > setting.option().length() + 2, setting.option());
        }
        focus(robot, "#fold-training");
        robot.type(KeyCode.SPACE);
        assertEquals("▸ more settings: steps 50 · flip",
                robot.lookup("#fold-training").queryAs(ToggleButton.class).getText());
        focus(robot, "#will-it-fit");
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup(".apply-advice").queryAll().size() == 2);
        window.shoot("does-not-fit");
        robot.interact(() -> robot.lookup(".apply-advice").nth(0).<Node>query().requestFocus());
        robot.type(KeyCode.SPACE);
        waitFor(() -> robot.lookup("#fit .note-good")
                .queryAllAs(Label.class)
                .stream()
                .anyMatch(note -> note.isVisible() && note.getText().startsWith("fits · 1.2 GB of 3.1 GB")));
        window.shoot("fits");
    }

    @Test
    void pauseBecomesResume(FxRobot robot) throws Exception {
        window.subject(robot, "owl");
        window.fake().tuner.stepsAtOnce = 1;
        robot.clickOn("#start");
        waitFor(() -> window.model().queue().progress().get().step() > 1);
        robot.clickOn("#pause-run");
        waitFor(() -> window.model().queue().progress().get().phase() == RunProgress.RunPhase.PAUSED);
        assertEquals("Resume", robot.lookup("#pause-run").queryAs(Button.class).getText());
        robot.clickOn("#ask-now");
        waitFor(() -> robot.lookup("#ask-picture").query().isVisible()
                && window.model().queue().progress().get().manualPreviews() == 1);
        assertEquals(List.of("a sks owl on the beach"), window.fake().tuner.prompts);
        waitFor(() -> !robot.lookup("#ask-now").queryAs(Button.class).isDisabled());
        window.shoot("paused");
        robot.clickOn("#pause-run");
        waitFor(() -> window.model().queue().progress().get().phase() == RunProgress.RunPhase.TRAINING);
        robot.clickOn("#cancel-run");
        waitFor(() -> !window.model().queue().isBusy() && robot.lookup(".resume-run").tryQuery().isPresent());
        window.shoot("cancelled");
    }
}
