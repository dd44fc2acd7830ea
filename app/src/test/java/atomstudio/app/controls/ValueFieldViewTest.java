package atomstudio.app.controls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.window.DisplayCondition;
import java.util.ArrayList;
import java.util.List;
import javafx.event.Event;
import javafx.scene.Scene;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.StackPane;
import javafx.stage.Stage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class ValueFieldViewTest {
    private final List<Long> changes = new ArrayList<>();
    private ValueFieldView<Long> field;

    @Start
    void start(Stage stage) {
        field = ValueFieldView.ofSeed(changes::add);
        stage.setScene(new Scene(new StackPane(field)));
    }

    private void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
    }

    private void press(KeyCode code) {
        Event.fireEvent(field, new KeyEvent(KeyEvent.KEY_PRESSED, "", "", code, false, false, false, false));
    }

    @Test
    void acceptsOnly64BitSeeds() throws Exception {
        run(() -> {
            field.showValue(77L);
            for (String typed : new String[] {"18446744073709551615", "18446744073709551616", "many", "",
                    "9007199254740993"})
                field.setText(typed);
        });
        assertEquals(List.of(-1L, 9007199254740993L), changes);
    }

    @Test
    void arrowKeysStopAtBounds() throws Exception {
        run(() -> {
            field.showValue(-2L);
            press(KeyCode.UP);
            press(KeyCode.UP);
        });
        assertEquals("18446744073709551615", field.getText());
        run(() -> {
            field.showValue(1L);
            press(KeyCode.DOWN);
            press(KeyCode.DOWN);
        });
        assertEquals("0", field.getText());
        assertEquals(List.of(-1L, 0L), changes);
    }

    @Test
    void numbersAreStrictlyWithinBounds() throws Exception {
        List<Double> numbers = new ArrayList<>();
        run(() -> {
            ValueFieldView<Double> number = ValueFieldView.ofNumber(new ValueFieldView.NumberRange(1, 8, 1),
                    value -> String.valueOf((long) value), numbers::add);
            number.showValue(4.0);
            for (String typed : new String[] {"9", "2.5", "eight", "8"}) number.setText(typed);
        });
        assertEquals(List.of(8.0), numbers);
    }
}
