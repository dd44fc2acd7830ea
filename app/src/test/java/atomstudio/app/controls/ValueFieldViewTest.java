package atomstudio.app.controls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.controls.ValueFieldView.NumberRange;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.app.window.DisplayCondition;
import java.util.ArrayList;
import java.util.List;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.input.KeyCode;
import javafx.scene.layout.VBox;
import javafx.stage.Stage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class ValueFieldViewTest {
    private final List<Long> seeds = new ArrayList<>();
    private final List<Double> numbers = new ArrayList<>();
    private ValueFieldView<Long> seed;
    private ValueFieldView<Double> steps;
    private Button other;

    @Start
    void start(Stage stage) {
        seed = ValueFieldView.ofSeed(seeds::add);
        steps = number(new NumberRange(GenerationLimits.STEPS, 1));
        other = new Button("Other");
        stage.setScene(new Scene(new VBox(seed, steps, other), 300, 200));
        stage.show();
    }

    private ValueFieldView<Double> number(NumberRange range) {
        return ValueFieldView.ofNumber(range, NumberLimit::format, numbers::add);
    }

    @BeforeEach
    void showValues(FxRobot robot) {
        robot.interact(() -> {
            seed.showValue(77L);
            steps.showValue(25.0);
        });
    }

    private void type(FxRobot robot, ValueFieldView<?> field, String text) {
        robot.interact(() -> {
            field.requestFocus();
            field.selectAll();
        });
        robot.write(text);
    }

    @Test
    void lettersAreNotCommittedOneByOne(FxRobot robot) {
        type(robot, steps, "500");
        assertEquals(List.of(), numbers);
        robot.type(KeyCode.ENTER);
        assertEquals(List.of(500.0), numbers);
    }

    @Test
    void leavingTheFieldCommits(FxRobot robot) {
        type(robot, steps, "30");
        robot.interact(other::requestFocus);
        assertEquals(List.of(30.0), numbers);
        assertEquals("30", steps.getText());
    }

    @Test
    void outOfRangeReturnsToTheValueBeforeAndSaysTheRange(FxRobot robot) {
        for (String typed : List.of("5000", "0", "2.5", "eight")) {
            type(robot, steps, typed);
            robot.type(KeyCode.ENTER);
            assertEquals("25", steps.getText(), typed);
            assertEquals("“" + typed + "”: expected a whole number, 1 to 1000", steps.rejection().get());
        }
        assertEquals(List.of(), numbers);
        type(robot, steps, "8");
        assertEquals("", steps.rejection().get(), "the note goes when something else is typed");
    }

    @Test
    void escapeTakesBackWhatWasTyped(FxRobot robot) {
        type(robot, steps, "300");
        robot.type(KeyCode.ESCAPE);
        assertEquals("25", steps.getText());
        robot.interact(other::requestFocus);
        assertEquals(List.of(), numbers);
    }

    @Test
    void otherChangesOfTheSettingsKeepWhatIsBeingTyped(FxRobot robot) {
        type(robot, steps, "30");
        robot.interact(() -> steps.showValue(25.0));
        assertEquals("30", steps.getText());
        robot.interact(() -> steps.showValue(12.0));
        assertEquals("12", steps.getText());
    }

    @Test
    void sidesAreMultiplesWithinTheSharedLimits(FxRobot robot) {
        robot.interact(() -> {
            ValueFieldView<Double> side = number(new NumberRange(GenerationLimits.SIDE, 8));
            side.showValue(512.0);
            for (String typed : List.of("516", "4", "768", "4104")) {
                side.setText(typed);
                side.commit();
            }
            assertEquals("“4104”: expected a multiple of 8, 8 to 4096", side.rejection().get());
        });
        assertEquals(List.of(768.0), numbers);
    }

    @Test
    void lowerBoundMayBeExcluded(FxRobot robot) {
        robot.interact(() -> {
            ValueFieldView<Double> scale = number(new NumberRange(GenerationLimits.HIRES_SCALE, 0.1));
            scale.showValue(1.1);
            scale.setText("1");
            scale.commit();
            assertEquals("“1”: expected above 1 to 4", scale.rejection().get());
            scale.setText("1,5");
            scale.commit();
        });
        assertEquals(List.of(1.5), numbers, "a decimal comma is read");
    }

    @Test
    void acceptsOnly64BitSeeds(FxRobot robot) {
        robot.interact(() -> {
            for (String typed : List.of("18446744073709551615", "18446744073709551616", "many", "",
                    "9007199254740993")) {
                seed.setText(typed);
                seed.commit();
            }
        });
        assertEquals(List.of(-1L, 9007199254740993L), seeds);
    }

    @Test
    void arrowKeysStopAtBounds(FxRobot robot) {
        robot.interact(() -> {
            seed.showValue(-2L);
            seed.requestFocus();
        });
        robot.type(KeyCode.UP, KeyCode.UP);
        assertEquals("18446744073709551615", seed.getText());
        robot.interact(() -> seed.showValue(1L));
        robot.type(KeyCode.DOWN, KeyCode.DOWN);
        assertEquals("0", seed.getText());
        assertEquals(List.of(-1L, 0L), seeds);
    }
}
