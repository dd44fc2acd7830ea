package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import javafx.scene.control.ToggleButton;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// Creates docs/screenshots with the real model, trainer and engine: trains a sample subject with three methods and
/// compares them. `mvn -pl app -am test -Dtest=ScreenshotsTest -Dtest.excludedGroups=
/// -Dsurefire.failIfNoSpecifiedTests=false`; `-Dscreenshots.steps=N` for a quick run with fewer training steps.
@Tag("slow")
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class ScreenshotsTest {
    @TempDir
    static Path home;

    private RealWindow window;

    @Start
    void start(Stage stage) {
        window = RealWindow.open(stage, home, RealWindow.DOCS);
    }

    @Test
    void dropToExport() throws Exception {
        WindowViewModel model = window.model();
        window.waitFor(60, () -> model.start().samples().size() == 4 && model.models().current().get() != null);
        window.screenshot("start");
        window.run(() -> model.start().useSample(model.start().samples().getFirst()));
        window.waitFor(60,
                () -> !model.subjects().pages().isEmpty()
                        && !model.subjects().pages().getFirst().train().method().costs().isEmpty());
        SubjectPageViewModel page = model.subjects().pages().getFirst();
        window.waitFor(60, () -> page.subject().photos().size() == 6);
        window.run(() -> page.openTab(SubjectPageViewModel.PageTab.TRAIN));
        window.run(page.train()::checkMemory);
        window.waitFor(300, () -> page.train().memoryCheck().busy().get().isEmpty());
        assertTrue(page.train().memoryCheck().summary().get().contains(", about "),
                page.train().memoryCheck().problem().get());
        window.screenshot("subject");
        settings(page);
        window.run(() -> page.generate().generate());
        window.waitFor(300, () -> page.compare().batches().busy().get().isEmpty());
        train(page);
        window.run(
                () -> page.generate()
                        .prompt()
                        .set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow")));
        window.run(() -> page.generate().generate());
        window.waitFor(600, () -> page.compare().batches().busy().get().isEmpty()
                && page.compare().metrics().status().get().isEmpty());
        window.run(() -> page.openTab(SubjectPageViewModel.PageTab.COMPARE));
        window.screenshot("galleries");
        window.run(model.settings()::toggleTheme);
        window.screenshot("galleries-dark");
        window.run(() -> page.largeImage().open(page.compare().imageRows().get(2).get(1)));
        window.screenshot("large-dark");
        window.run(page.largeImage()::close);
        window.run(model.settings()::toggleTheme);
        window.desktop().saveTarget = Path.of(System.getProperty("java.io.tmpdir"), "car.safetensors");
        RunSummary last = page.runs().runs().getLast();
        window.run(
                () -> page.export().export(last, atomstudio.tuning.export.ExportFormat.ATOMSTUDIO));
        window.waitFor(60,
                () -> page.export().exportNote().get() != null && page.export().exportNote().get().file().isPresent());
        assertTrue(Files.size(window.desktop().saveTarget) == last.report().orElseThrow().bytes());
        window.screenshot("exported");
        Files.delete(window.desktop().saveTarget);
    }

    /// Screenshots with expanded training options.
    private void settings(SubjectPageViewModel page) throws Exception {
        ToggleButton options = (ToggleButton) window.scene().lookup("#options");
        window.run(() -> {
            page.train().training().setText(TrainingSetting.VALIDATE, Setting.YES);
            options.setSelected(true);
        });
        window.screenshot("settings");
        window.run(() -> {
            // The gallery shows the default settings.
            page.train().training().setText(TrainingSetting.VALIDATE, "");
            options.setSelected(false);
        });
    }

    private void train(SubjectPageViewModel page) throws Exception {
        int steps = Integer.getInteger("screenshots.steps", 0);
        window.run(() -> {
            if (steps > 0) page.train().training().setText(TrainingSetting.STEPS, String.valueOf(steps));
            page.train().start(MethodName.ATOMS_AND_WORD);
            page.train().start(MethodName.ATOMS_AND_CHANNELS);
            page.train().start(MethodName.LORA);
        });
        window.waitFor(1800,
                () -> !page.queue().isBusy() || page.queue().current().get().choice() == MethodName.ATOMS_AND_CHANNELS
                        && page.queue().progress().get().fraction() > 0.65);
        window.run(page.queue()::pause);
        window.waitFor(60, () -> page.queue().progress().get().phase() == RunProgress.RunPhase.PAUSED);
        window.run(() -> page.runs().requestPreview("a sks car on the beach"));
        window.waitFor(120, () -> page.queue().pendingPreview().get().isEmpty());
        window.screenshot("training");
        window.run(page.queue()::resume);
        window.waitFor(3600, () -> !page.queue().isBusy() && page.runs().runs().size() == 3);
    }
}
