package atomstudio.app.generate;

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
class SeedFieldViewTest {
    private final List<Long> changes = new ArrayList<>();
    private SeedFieldView field;

    @Start
    void start(Stage stage) {
        field = new SeedFieldView(changes::add);
        stage.setScene(new Scene(new StackPane(field)));
    }

    private void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
    }

    private void press(KeyCode code) {
        Event.fireEvent(field, new KeyEvent(KeyEvent.KEY_PRESSED, "", "", code, false, false, false, false));
    }

    @Test
    void takesSeedsOf64BitsAndNothingElse() throws Exception {
        run(() -> {
            field.showSeed(77);
            for (String typed : new String[] {"18446744073709551615", "18446744073709551616", "many", "",
                    "9007199254740993"})
                field.setText(typed);
        });
        assertEquals(List.of(-1L, 9007199254740993L), changes);
    }

    @Test
    void showsAllDigitsAndStopsAtBothEnds() throws Exception {
        run(() -> {
            field.showSeed(-2);
            press(KeyCode.UP);
            press(KeyCode.UP);
        });
        assertEquals("18446744073709551615", field.getText());
        run(() -> {
            field.showSeed(1);
            press(KeyCode.DOWN);
            press(KeyCode.DOWN);
        });
        assertEquals("0", field.getText());
        assertEquals(List.of(-1L, 0L), changes);
    }
}
