package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings.Seeds;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runtime.Home;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.subjects.SubjectPageViewModel.PageTab;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.setting.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.scene.control.ToggleButton;
import javafx.stage.Stage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;

/// Screenshots with the real model, trainer and engine: trains a sample subject with three methods, compares them and
/// generates with them. The command is in docs/developers.md; `-Dscreenshots.steps=N` trains fewer steps, and
/// `-Dscreenshots.home=FOLDER` keeps the data folder: runs and images of an earlier start are not made again.
@Tag("slow")
@Tag("display")
@ExtendWith({DisplayServerCondition.class, DisplayCondition.class, ApplicationExtension.class})
class ScreenshotsTest {
    private static final List<MethodName> METHODS = List.of(MethodName.ATOMS_AND_WORD, MethodName.LORA,
            MethodName.ATOMS_AND_CHANNELS);
    /// While it is trained.
    private static final MethodName SHOWN = MethodName.ATOMS_AND_CHANNELS;

    @TempDir
    static Path temporary;

    private final Path home = Optional.ofNullable(System.getProperty("screenshots.home"))
            .map(Path::of)
            .orElse(temporary);
    private RealWindow window;

    @Start
    void start(Stage stage) {
        window = RealWindow.open(stage, home);
    }

    @Test
    void dropToExport() throws Exception {
        WindowViewModel model = window.model();
        window.waitFor(60, () -> model.start().samples().size() == 4 && model.models().current().get() != null);
        window.screenshots("start");
        if (!Files.exists(new Home(home).subjects().resolve("car")))
            window.run(() -> model.start().useSample(model.start().samples().getFirst()));
        window.waitFor(60, () -> !model.subjects().pages().isEmpty());
        window.run(() -> model.open(model.subjects().pages().getFirst()));
        SubjectPageViewModel page = model.subjects().pages().getFirst();
        prepare(page);
        train(page);
        compare(page);
        export(page);
        gallery(page);
        generate(page);
    }

    /// Photos, methods with their measured costs, and all options.
    private void prepare(SubjectPageViewModel page) throws Exception {
        window.waitFor(60, () -> page.subject().photos().size() == 6 && !page.train().method().costs().isEmpty());
        window.run(() -> page.openTab(PageTab.PHOTOS));
        window.screenshots("photos");
        window.run(() -> page.openTab(PageTab.TRAIN));
        window.run(page.train()::checkMemory);
        window.waitFor(300, () -> page.train().memoryCheck().busy().get().isEmpty());
        assertTrue(page.train().memoryCheck().summary().get().contains(", about "),
                page.train().memoryCheck().problem().get());
        window.screenshots("train");
        ToggleButton options = (ToggleButton) window.scene().lookup("#options");
        window.run(() -> {
            page.train().training().setText(TrainingSetting.VALIDATE, Setting.YES);
            options.setSelected(true);
        });
        window.screenshots("options");
        window.run(() -> {
            // The comparison shows the default settings.
            page.train().training().setText(TrainingSetting.VALIDATE, "");
            options.setSelected(false);
        });
    }

    private void train(SubjectPageViewModel page) throws Exception {
        int steps = Integer.getInteger("screenshots.steps", 0);
        window.run(() -> {
            if (steps > 0) page.train().training().setText(TrainingSetting.STEPS, String.valueOf(steps));
            for (MethodName method : METHODS)
                if (method == SHOWN || page.runs().runs().stream().noneMatch(run -> run.spec().choice() == method))
                    page.train().start(method);
        });
        window.waitFor(3600,
                () -> page.queue().isBusy() && page.queue().current().get().choice() == SHOWN
                        && page.queue().progress().get().fraction() > 0.65);
        window.run(page.queue()::pause);
        window.waitFor(60, () -> page.queue().progress().get().phase() == RunProgress.RunPhase.PAUSED);
        window.run(() -> page.runs().requestPreview("a sks car on the beach"));
        window.waitFor(120, () -> page.queue().pendingPreview().get().isEmpty());
        window.screenshots("training");
        if (finished(page) == METHODS.size()) stopAndDelete(page);
        else window.run(page.queue()::resume);
        window.waitFor(3600, () -> !page.queue().isBusy() && finished(page) == METHODS.size());
    }

    private static long finished(SubjectPageViewModel page) {
        return page.runs().runs().stream().filter(RunSummary::isDone).count();
    }

    /// The run that was only started to be shown.
    private void stopAndDelete(SubjectPageViewModel page) throws Exception {
        window.run(page.queue()::cancel);
        window.waitFor(120, () -> !page.queue().isBusy() && page.runs().runs().size() > METHODS.size());
        window.run(() -> page.runs()
                .delete(page.runs().runs().stream().filter(run -> !run.isDone()).findFirst().orElseThrow()));
        window.waitFor(60, () -> page.runs().runs().size() == METHODS.size());
        window.run(() -> window.model().open(Screen.TRASH));
        window.screenshots("trash");
        window.run(() -> window.model().open(page));
    }

    private void compare(SubjectPageViewModel page) throws Exception {
        window.run(() -> {
            page.generate()
                    .prompt()
                    .set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "{in the snow | on the beach}"));
            page.generate().updateSettings(now -> now.withSeeds(new Seeds(0, 2)));
            page.openTab(PageTab.COMPARE);
            page.generate().generate();
        });
        window.waitFor(600, () -> page.compare().batches().busy().get().isEmpty()
                && page.compare().metrics().status().get().isEmpty());
        window.run(this::dismissNotices);
        window.screenshots("compare");
        window.run(() -> page.largeImage().open(page.compare().imageRows().get(2).get(1)));
        window.screenshots("large-image");
        window.run(page.largeImage()::close);
    }

    private void dismissNotices() {
        List.copyOf(window.model().notices().notices()).forEach(window.model().notices()::dismiss);
    }

    private void export(SubjectPageViewModel page) throws Exception {
        RunSummary last = page.runs().runs().getLast();
        window.run(() -> page.export().open(last));
        window.waitFor(120, () -> page.export().dialog().get() != null
                && page.export().dialog().get().approximation().isPresent());
        window.screenshots("export");
        window.run(page.export()::close);
        window.desktop().saveTarget = Path.of(System.getProperty("java.io.tmpdir"), "car.safetensors");
        window.run(() -> page.export().export(last, ExportFormat.ATOMSTUDIO));
        window.waitFor(60,
                () -> page.export().exportNote().get() != null && page.export().exportNote().get().file().isPresent());
        assertEquals(last.report().orElseThrow().bytes(), Files.size(window.desktop().saveTarget));
        window.screenshots("exported");
        Files.delete(window.desktop().saveTarget);
    }

    private void gallery(SubjectPageViewModel page) throws Exception {
        window.run(() -> {
            window.model().gallery().toggleStar(page.compare().imageRows().get(1).getFirst());
            window.model().open(Screen.GALLERY);
        });
        window.screenshots("gallery");
    }

    /// An adapter on the Generate page, while its images are generated.
    private void generate(SubjectPageViewModel page) throws Exception {
        RunSummary run = page.runs().runs().getLast();
        window.run(window.model()::openGenerate);
        GenerateViewModel generate = window.model().generate();
        window.run(() -> {
            generate.prompt().set(new SubjectPrompt("", SubjectPrompt.Mention.NONE, "a sks car on a (table:1.2)"));
            generate.settings(generate.settings()
                    .get()
                    .withAdapters(List.of(new SelectedAdapter(run.adapter(), 0.9)))
                    .withSeeds(new Seeds(0, 9)));
            generate.generate();
        });
        window.waitFor(120, () -> generate.row().previews().containsKey(generate.row().cells().getLast().order()));
        window.screenshots("generating");
        window.waitFor(300, () -> generate.batches().busy().get().isEmpty());
        assertEquals("", generate.batches().problem().get());
        window.screenshots("generated");
    }
}
