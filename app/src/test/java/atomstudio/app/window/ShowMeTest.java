package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CompareCells;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// "Show me" of the start page with the real model, trainer and engine. It prints how long each part takes: about a
/// minute in all on two quiet cores.
@Tag("slow")
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class ShowMeTest {
    @TempDir
    static Path home;

    private RealWindow window;
    private Instant last = Instant.now();
    private final List<String> times = new ArrayList<>();

    @Start
    void start(Stage stage) {
        window = RealWindow.open(stage, home);
    }

    @Test
    void trainsASampleAndEndsInItsComparison() throws Exception {
        WindowViewModel model = window.model();
        window.waitFor(60, () -> !model.start().samples().isEmpty() && model.models().current().get() != null);
        last = Instant.now();
        Instant pressed = last;
        window.run(model.start()::showMe);
        window.waitFor(600, () -> model.queue().progress().get().step() > 0);
        took("until the first step");
        SubjectPageViewModel page = model.subjects().pages().getFirst();
        window.waitFor(600, () -> !model.queue().isBusy() && page.runs().runs().size() == 1);
        took("training with previews");
        window.waitFor(600, () -> {
            CompareCells cells = page.compare().cells().get();
            return cells != null && cells.rows().size() == 2 && cells.isComplete();
        });
        took("images of the comparison");
        window.waitFor(300, () -> page.compare().metrics().unmeasured().get() == 0
                && page.compare().metrics().status().get().isEmpty());
        took("measuring");
        System.out.println("Show me: " + Duration.between(pressed, Instant.now()).toSeconds() + " s: "
                + String.join(", ", times));
        assertEquals(SubjectPageViewModel.PageTab.COMPARE, page.tab().get());
        assertTrue(page.runs().runs().getFirst().isDone());
        assertEquals("", page.compare().batches().problem().get());
    }

    private void took(String part) {
        Instant now = Instant.now();
        times.add(part + " %.1f s".formatted(Duration.between(last, now).toMillis() / 1000.0));
        last = now;
    }
}
