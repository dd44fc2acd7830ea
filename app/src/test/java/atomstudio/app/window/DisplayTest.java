package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.Subject;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javafx.collections.ObservableList;
import javafx.geometry.Bounds;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.input.ClipboardContent;
import javafx.scene.input.KeyCode;
import javafx.scene.input.MouseButton;
import javafx.scene.input.TransferMode;
import javafx.scene.layout.StackPane;
import javafx.stage.PopupWindow;
import javafx.stage.Stage;
import javafx.stage.Window;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// What only an X server with a window manager shows: places of popups, the focus after mouse clicks, drag and drop
/// between windows, window sizes.
@Tag("display")
@ExtendWith({DisplayServerCondition.class, DisplayCondition.class, ApplicationExtension.class})
class DisplayTest {
    @TempDir
    static Path home;

    private FakeWindow window;
    private Stage stage;

    @Start
    void start(Stage primary) throws IOException {
        stage = primary;
        window = FakeWindow.open(primary, home);
        primary.setX(100);
        primary.setY(60);
    }

    @AfterEach
    void close(FxRobot robot) {
        robot.release(new MouseButton[0]);
        robot.interact(stage::hide);
    }

    private static Bounds onScreen(Node node) {
        return node.localToScreen(node.getLayoutBounds());
    }

    private static PopupWindow shownPopup() {
        return Window.getWindows()
                .stream()
                .filter(each -> each instanceof PopupWindow && each.isShowing())
                .map(PopupWindow.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static boolean hasPopup() {
        return Window.getWindows().stream().anyMatch(each -> each instanceof PopupWindow && each.isShowing());
    }

    /// Shadows and insets of a popup are a few pixels.
    private static void assertBelow(Node field, PopupWindow popup) {
        Bounds place = onScreen(field);
        assertEquals(place.getMinX(), popup.getAnchorX(), 24, "x of the popup");
        assertEquals(place.getMaxY(), popup.getAnchorY(), 24, "y of the popup");
    }

    @Test
    void suggestionsOpenBelowTheClassWordWhenItsPageOpens(FxRobot robot) throws Exception {
        Subject.SampleSubject sample = FakeServices.sample("car");
        robot.interact(() -> window.model().drops().drop(List.of(sample.cover(), sample.cover())));
        waitFor(() -> robot.lookup("#class-word").tryQuery().isPresent() && hasPopup());
        robot.interact(() -> assertBelow(robot.lookup("#class-word").query(), shownPopup()));
        robot.type(KeyCode.ESCAPE);
    }

    @Test
    void noteOfAWrongNumberOpensBelowItsField(FxRobot robot) throws Exception {
        robot.clickOn("#open-generate").clickOn("#customize");
        waitFor(() -> robot.lookup("#steps").query().isVisible());
        robot.clickOn("#steps").push(KeyCode.CONTROL, KeyCode.A).write("5000").type(KeyCode.ENTER);
        waitFor(DisplayTest::hasPopup);
        robot.interact(() -> assertBelow(robot.lookup("#steps").query(), shownPopup()));
        assertEquals("25", robot.lookup("#steps").queryAs(TextField.class).getText());
    }

    @Test
    void focusStaysNearAControlThatGoes(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        robot.clickOn("#tab-photos");
        ObservableList<?> photos = window.model().subjects().pages().getFirst().subject().photos();
        waitFor(() -> photos.size() == 6 && robot.lookup(".remove").queryAll().size() > 2);
        robot.interact(() -> robot.lookup(".remove").nth(1).<Node>query().requestFocus());
        robot.type(KeyCode.SPACE);
        waitFor(() -> photos.size() == 5);
        waitFor(() -> focusOwner().getStyleClass().contains("remove"));
        robot.clickOn("#notice-undo");
        waitFor(() -> photos.size() == 6);
        assertInPage(robot);
        robot.clickOn("#open-generate").clickOn("#generate");
        waitFor(() -> robot.lookup(".image-button").queryAll().size() == 4 && window.fake().requests.size() == 1);
        assertInPage(robot);
    }

    private Node focusOwner() {
        return window.scene().getFocusOwner();
    }

    private void assertInPage(FxRobot robot) throws Exception {
        WaitForAsyncUtils.waitForFxEvents();
        Node page = ((WindowView) window.scene().getRoot()).page();
        boolean inside = false;
        for (Node node = focusOwner(); node != null; node = node.getParent()) inside |= node == page;
        assertTrue(inside, "focus owner: " + focusOwner());
    }

    @Test
    void photosAreDroppedFromAnotherWindow(FxRobot robot) throws Exception {
        Subject.SampleSubject sample = FakeServices.sample("cat");
        Label files = new Label("files");
        files.setId("dragged-files");
        files.setOnDragDetected(drag -> {
            ClipboardContent content = new ClipboardContent();
            content.putFiles(List.of(sample.folder().toFile()));
            files.startDragAndDrop(TransferMode.COPY).setContent(content);
            drag.consume();
        });
        Stage[] other = new Stage[1];
        robot.interact(() -> {
            other[0] = new Stage();
            other[0].setScene(new Scene(new StackPane(files), 200, 200));
            other[0].setX(1300);
            other[0].setY(200);
            other[0].show();
        });
        WaitForAsyncUtils.waitForFxEvents();
        robot.drag(files).dropTo("#choose-photos");
        waitFor(() -> !window.model().subjects().pages().isEmpty());
        SubjectPageViewModel subject = window.model().subjects().pages().getFirst();
        waitFor(() -> subject.subject().photos().size() > 1);
        robot.interact(other[0]::hide);
    }

    @Test
    void controlsFitIntoSmallAndLargeWindows(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        for (int[] size : new int[][] {{1000, 600}, {1280, 800}, {2560, 1440}}) {
            robot.interact(() -> {
                stage.setX(10);
                stage.setY(10);
                stage.setWidth(size[0]);
                stage.setHeight(size[1]);
            });
            waitFor(() -> Math.abs(window.scene().getWindow().getWidth() - size[0]) < 2);
            WaitForAsyncUtils.waitForFxEvents();
            Bounds all = onScreen(window.scene().getRoot());
            Map<String, SubjectPageViewModel.PageTab> controls = Map.of("#add-photos",
                    SubjectPageViewModel.PageTab.PHOTOS,
                    "#start", SubjectPageViewModel.PageTab.TRAIN, "#generate", SubjectPageViewModel.PageTab.COMPARE,
                    "#class-word", SubjectPageViewModel.PageTab.COMPARE, "#model-menu",
                    SubjectPageViewModel.PageTab.COMPARE, "#theme", SubjectPageViewModel.PageTab.COMPARE);
            for (Map.Entry<String, SubjectPageViewModel.PageTab> control : controls.entrySet()) {
                String id = control.getKey();
                robot.interact(() -> window.model().subjects().pages().getFirst().openTab(control.getValue()));
                WaitForAsyncUtils.waitForFxEvents();
                Bounds place = onScreen(robot.lookup(id).query());
                assertTrue(all.contains(place), id + " at " + place + " in a window of " + all);
                assertFalse(place.getWidth() < 10, id + " is " + place.getWidth() + " pixels wide");
            }
        }
    }

    @Test
    void generationIsCancelledFromAnotherPage(FxRobot robot) throws Exception {
        window.fake().endless = true;
        robot.clickOn("#open-generate").clickOn("#generate");
        waitFor(() -> window.fake().requests.size() == 1);
        robot.clickOn("#open-settings");
        waitFor(() -> robot.lookup(".queue-cancel").tryQuery().isPresent());
        robot.clickOn(robot.lookup(".queue-cancel").queryAs(Button.class));
        waitFor(() -> window.model().images().entries().isEmpty());
        window.fake().endless = false;
        assertInPage(robot);
    }
}
