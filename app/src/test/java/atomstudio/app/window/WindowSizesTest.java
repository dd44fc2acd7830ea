package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.Subject;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.subjects.SubjectPageViewModel.PageTab;
import atomstudio.tuning.method.MethodName;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import javafx.geometry.Bounds;
import javafx.geometry.Orientation;
import javafx.scene.Node;
import javafx.scene.Parent;
import javafx.scene.control.ScrollBar;
import javafx.scene.control.TableColumnBase;
import javafx.scene.control.TableView;
import javafx.scene.layout.Region;
import javafx.stage.Stage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// How pages use small and large windows. JavaFX's headless screen is too small for it.
@Tag("display")
@ExtendWith({DisplayServerCondition.class, DisplayCondition.class, ApplicationExtension.class})
class WindowSizesTest {
    @TempDir
    static Path home;

    private FakeWindow window;
    private Stage stage;

    @Start
    void start(Stage primary) throws IOException {
        stage = primary;
        window = FakeWindow.open(primary, home);
    }

    @AfterEach
    void close(FxRobot robot) {
        robot.interact(stage::hide);
    }

    private void resize(FxRobot robot, int width, int height) throws Exception {
        robot.interact(() -> {
            stage.setX(10);
            stage.setY(10);
            stage.setWidth(width);
            stage.setHeight(height);
        });
        waitFor(() -> Math.abs(stage.getWidth() - width) < 2 && Math.abs(window.scene().getWidth() - width) < 20);
        WaitForAsyncUtils.waitForFxEvents();
    }

    private static Bounds onScreen(Node node) {
        return node.localToScreen(node.getLayoutBounds());
    }

    private static Stream<Node> all(Node node) {
        return !node.isVisible() ? Stream.empty()
                : node instanceof Parent parent
                        ? Stream.concat(Stream.of(node),
                                parent.getChildrenUnmodifiable().stream().flatMap(each -> all(each)))
                : Stream.of(node);
    }

    private List<Node> onPage(String styleClass) {
        return all(((WindowView) window.scene().getRoot()).page())
                .filter(node -> node.getStyleClass().contains(styleClass))
                .toList();
    }

    @Test
    void controlsDoNotTouchScrollBars(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        resize(robot, 1000, 600);
        robot.clickOn("#options");
        assertNothingTouchesBars(robot, ".text-field", ".choice-box");
        robot.interact(() -> window.model().open(Screen.SETTINGS));
        assertNothingTouchesBars(robot, ".studio-card");
        robot.interact(window.model()::openGenerate);
        robot.clickOn("#customize");
        assertNothingTouchesBars(robot, ".expert-group", ".segments");
    }

    private void assertNothingTouchesBars(FxRobot robot, String... selectors) throws Exception {
        WaitForAsyncUtils.waitForFxEvents();
        robot.interact(() -> {
            List<ScrollBar> bars = onPage("scroll-bar").stream()
                    .map(ScrollBar.class::cast)
                    .filter(bar -> bar.getOrientation() == Orientation.VERTICAL)
                    .toList();
            assertTrue(!bars.isEmpty(), "a scroll bar on " + window.model().page().get());
            for (String selector : selectors)
                for (Node node : onPage(selector.substring(1)))
                    for (ScrollBar bar : bars)
                        if (all(bar.getParent()).anyMatch(each -> each == node)) assertApart(node, bar);
        });
    }

    private static void assertApart(Node node, ScrollBar bar) {
        double gap = onScreen(bar).getMinX() - onScreen(node).getMaxX();
        assertTrue(gap >= 4, node + " is " + gap + " pixels from the scroll bar");
    }

    @Test
    void tilesFillTheWidth(FxRobot robot) throws Exception {
        Subject.SampleSubject sample = FakeServices.sample("car");
        robot.interact(() -> window.model().start().useSample(sample));
        waitFor(() -> !window.model().subjects().pages().isEmpty());
        robot.interact(() -> window.model().subjects().pages().getFirst().openTab(PageTab.PHOTOS));
        for (int width : new int[] {1000, 2560, 1280, 1440, 1650}) {
            resize(robot, width, 900);
            waitFor(() -> onPage("photo-frame").size() == 6);
            robot.interact(() -> {
                Bounds grid = onScreen(robot.lookup("#photos-grid").query());
                double right = onPage("photo-frame").stream()
                        .mapToDouble(frame -> onScreen(frame).getMaxX())
                        .max()
                        .orElseThrow();
                assertEquals(grid.getMaxX(), right, 40, "right edge of the last photo at a width of " + width);
                assertTrue(onPage("scroll-bar").stream()
                        .noneMatch(bar -> ((ScrollBar) bar).getOrientation() == Orientation.HORIZONTAL),
                        "a horizontal scroll bar at a width of " + width);
                List<Double> rows = onPage("photo-frame").stream()
                        .map(frame -> onScreen(frame).getMinY())
                        .distinct()
                        .sorted()
                        .toList();
                double side = onScreen(onPage("photo-frame").getFirst()).getWidth();
                for (int i = 1; i < rows.size(); i++)
                    assertEquals(side + 38, rows.get(i) - rows.get(i - 1), 4, "rows at a width of " + width);
            });
        }
    }

    @Test
    void likenessIsNotShownWithoutAlignment(FxRobot robot) throws Exception {
        window.fake().launcher.delay = Duration.ZERO;
        window.openSubject(robot, "car");
        SubjectPageViewModel page = window.model().subjects().pages().getFirst();
        robot.interact(() -> page.train().start(MethodName.LORA));
        waitFor(() -> page.runs().runs().size() == 1 && page.compare().rows().size() == 2);
        robot.interact(() -> page.generate().generate());
        waitFor(() -> page.compare().metrics().ofRun(page.runs().runs().getFirst().folder()).isPresent());
        robot.interact(() -> page.openTab(PageTab.TRAIN));
        int shown = 0;
        for (int width : new int[] {1000, 1100, 1200, 1280, 1440, 1900}) {
            resize(robot, width, 800);
            List<String> columns = robot.lookup("#runs")
                    .<TableView<?>>query()
                    .getVisibleLeafColumns()
                    .stream()
                    .map(TableColumnBase::getText)
                    .toList();
            long measures = Stream.of("Likeness", "Diversity", "Alignment").filter(columns::contains).count();
            assertTrue(measures == 0 || measures == 3, columns + " at a width of " + width);
            if (measures == 3) shown++;
        }
        assertTrue(shown >= 3, "shown at " + shown + " widths");
    }

    @Test
    void largeWindowHasColumnsOfCardsAndLargeImages(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        robot.interact(() -> window.model().subjects().pages().getFirst().openTab(PageTab.COMPARE));
        resize(robot, 1280, 800);
        double small = ((Region) robot.lookup(".photo-button").query()).getWidth();
        resize(robot, 2560, 1440);
        waitFor(() -> robot.lookup(".photo-button").queryAll().size() == 4);
        robot.interact(() -> {
            Bounds table = onScreen(robot.lookup("#compare-table").query());
            double right = onPage("photo-button").stream()
                    .mapToDouble(cell -> onScreen(cell).getMaxX())
                    .max()
                    .orElseThrow();
            double side = ((Region) robot.lookup(".photo-button").query()).getWidth();
            assertTrue(side > 1.5 * small, side + " after " + small);
            assertTrue(right <= table.getMaxX() + 1, right + " in " + table);
            window.model().open(Screen.SETTINGS);
        });
        WaitForAsyncUtils.waitForFxEvents();
        robot.interact(() -> assertEquals(4,
                onPage("studio-card").stream().map(card -> Math.round(onScreen(card).getMinX())).distinct().count(),
                "columns of cards"));
    }
}
