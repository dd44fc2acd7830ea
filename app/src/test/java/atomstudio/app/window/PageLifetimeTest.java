package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.tuning.method.MethodName;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.WeakHashMap;
import javafx.scene.Node;
import javafx.scene.Parent;
import javafx.stage.Stage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// What remains in memory of pages that were left and of removed rows.
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class PageLifetimeTest {
    private static final int SWITCHES = 50;

    @TempDir
    static Path home;

    private FakeWindow window;
    /// All nodes that were ever in the window and are still in memory.
    private final Map<Node, Boolean> nodes = new WeakHashMap<>();

    @Start
    void start(Stage stage) throws IOException {
        window = FakeWindow.open(stage, home);
    }

    @Test
    void switchingPagesLeavesNothingBehind(FxRobot robot) throws Exception {
        openPages(robot);
        switchPages(12);
        collectGarbage();
        Map<String, Integer> before = countByType();
        long heapBefore = liveHeap();
        switchPages(SWITCHES);
        collectGarbage();
        assertEquals(before, countByType(), "nodes in memory after " + SWITCHES + " page switches");
        long heapAfter = liveHeap();
        assertTrue(heapAfter < heapBefore * 1.05, "live heap: " + heapBefore + " bytes before, " + heapAfter
                + " after " + SWITCHES + " page switches");
    }

    @Test
    void removedRowsAreFreed(FxRobot robot) throws Exception {
        openPages(robot);
        SubjectPageViewModel subject = window.model().subjects().pages().getFirst();
        run(() -> subject.train().start(MethodName.LORA));
        waitFor(() -> subject.compare().rows().size() == 2);
        run(() -> {
            subject.openTab(SubjectPageViewModel.PageTab.COMPARE);
            window.model().open(subject);
        });
        WaitForAsyncUtils.waitForFxEvents();
        WeakReference<Node> row = new WeakReference<>(robot.lookup("#row-owl-lora").query());
        run(() -> subject.toggleRow(subject.runs().runs().getFirst()));
        waitFor(() -> robot.lookup("#row-owl-lora").tryQuery().isEmpty());
        assertFreed(row);
    }

    private static void assertFreed(WeakReference<Node> node) throws Exception {
        for (int i = 0; i < 20 && node.get() != null; i++) collectGarbage();
        assertEquals(null, node.get());
    }

    /// Two subjects with photos, and images on the Generate page.
    private void openPages(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        window.openSubject(robot, "owl");
        waitFor(() -> window.model().subjects().pages().size() == 2);
        run(() -> window.model().openGenerate());
        run(() -> ((WindowPage.GeneratePage) window.model().page().get()).generate().generate());
        waitFor(() -> robot.lookup(".image-button").queryAll().size() == 4);
    }

    private void switchPages(int count) throws Exception {
        WindowViewModel model = window.model();
        List<Runnable> pages = new ArrayList<>(List.of(model::newSubject, model::openGenerate));
        for (SubjectPageViewModel subject : model.subjects().pages())
            for (SubjectPageViewModel.PageTab tab : SubjectPageViewModel.PageTab.values())
                pages.add(() -> {
                    model.open(subject);
                    subject.openTab(tab);
                });
        for (Screen screen : Screen.values()) pages.add(() -> model.open(screen));
        for (int i = 0; i < count; i++) {
            run(pages.get(i % pages.size()));
            WaitForAsyncUtils.waitForFxEvents();
            run(() -> remember(window.scene().getRoot()));
        }
        run(model::newSubject);
        WaitForAsyncUtils.waitForFxEvents();
    }

    private void remember(Node node) {
        nodes.put(node, true);
        if (node instanceof Parent parent) parent.getChildrenUnmodifiable().forEach(this::remember);
    }

    private static void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
    }

    private static void collectGarbage() throws Exception {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50);
            WaitForAsyncUtils.waitForFxEvents();
        }
    }

    private Map<String, Integer> countByType() throws Exception {
        Map<String, Integer> counts = new TreeMap<>();
        run(() -> nodes.keySet().forEach(node -> counts.merge(node.getClass().getSimpleName(), 1, Integer::sum)));
        return counts;
    }

    private static long liveHeap() throws Exception {
        collectGarbage();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
