package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.settings.AppSettings.SharingRule;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import javafx.animation.AnimationTimer;
import javafx.application.Platform;
import javafx.event.EventHandler;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.robot.Robot;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// Measures how fast the window answers while a run trains and images are generated: the time from a key press to its
/// event, and the time between frames. Prints both; the figures are in docs/performance.md. With the real model,
/// trainer and engine: `mvn -pl app -am test -Dtest=InputLatencyTest -Dtest.excludedGroups=
/// -Dsurefire.failIfNoSpecifiedTests=false`.
@Tag("slow")
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class InputLatencyTest {
    private static final int KEYS = 300;
    private static final int MILLISECONDS_BETWEEN = 100;

    @TempDir
    static Path home;

    private RealWindow window;
    private final List<Double> keys = Collections.synchronizedList(new ArrayList<>());
    private final List<Double> frames = new ArrayList<>();

    @Start
    void start(Stage stage) {
        window = RealWindow.open(stage, home);
    }

    @Test
    void keysAreAnsweredDuringTrainingAndGeneration() throws Exception {
        measure("idle");
        WindowViewModel model = window.model();
        window.waitFor(60, () -> model.start().samples().size() == 4 && model.models().current().get() != null);
        window.run(() -> model.start().useSample(model.start().samples().getFirst()));
        window.waitFor(60, () -> !model.subjects().pages().isEmpty());
        SubjectPageViewModel subject = model.subjects().pages().getFirst();
        window.waitFor(60, () -> !subject.train().method().costs().isEmpty());
        window.run(() -> model.sharing().setRule(SharingRule.SHARE));
        window.run(() -> subject.train().start(MethodName.LORA));
        window.waitFor(120, () -> model.queue().progress().get().step() > 1);
        measure("training and generating");
        assertTrue(model.queue().isBusy(), "the run ended before the measurement");
        window.run(model.queue()::cancel);
    }

    private void measure(String state) throws Exception {
        window.run(window.model()::openGenerate);
        GenerateViewModel page = ((WindowPage.GeneratePage) window.model().page().get()).generate();
        window.waitFor(60, () -> window.model().models().current().get() != null);
        boolean generating = window.model().queue().isBusy();
        keys.clear();
        frames.clear();
        long[] pressed = new long[1];
        Robot[] robot = new Robot[1];
        EventHandler<KeyEvent> arrival = key -> {
            if (key.getCode() == KeyCode.SHIFT) keys.add((System.nanoTime() - pressed[0]) / 1e6);
        };
        AnimationTimer timer = frameTimer();
        window.run(() -> {
            robot[0] = new Robot();
            window.scene().lookup("#prompt").requestFocus();
            window.scene().addEventFilter(KeyEvent.KEY_PRESSED, arrival);
            timer.start();
        });
        for (int i = 0; i < KEYS; i++) {
            if (generating && i % 10 == 0) window.run(() -> {
                if (page.batches().busy().get().isEmpty()) {
                    page.randomizeSeeds(new Random());
                    page.generate();
                }
            });
            Platform.runLater(() -> {
                pressed[0] = System.nanoTime();
                robot[0].keyPress(KeyCode.SHIFT);
                robot[0].keyRelease(KeyCode.SHIFT);
            });
            Thread.sleep(MILLISECONDS_BETWEEN);
        }
        window.run(() -> {
            window.scene().removeEventFilter(KeyEvent.KEY_PRESSED, arrival);
            timer.stop();
        });
        assertTrue(keys.size() > KEYS / 2, keys.size() + " of " + KEYS + " keys arrived");
        System.out.printf(Locale.ROOT, "%s: key to event %s; between frames %s%n", state, summary(keys),
                summary(frames));
    }

    private AnimationTimer frameTimer() {
        return new AnimationTimer() {
            private long last;

            @Override
            public void handle(long now) {
                if (last != 0) frames.add((now - last) / 1e6);
                last = now;
            }
        };
    }

    private static String summary(List<Double> milliseconds) {
        List<Double> sorted = milliseconds.stream().sorted().toList();
        return String.format(Locale.ROOT, "median %.1f, 95 %% %.1f, 99 %% %.1f, longest %.1f ms",
                sorted.get(sorted.size() / 2), sorted.get(sorted.size() * 95 / 100),
                sorted.get(sorted.size() * 99 / 100), sorted.getLast());
    }
}
