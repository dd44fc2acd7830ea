package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.generate.GalleryRow;
import atomstudio.app.generate.Prompt;
import atomstudio.app.jobs.BackgroundJobs;
import atomstudio.app.jobs.Home;
import atomstudio.app.tune.RunProgress;
import atomstudio.diffusion.Shared;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.TrainingSetting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javafx.application.Platform;
import javafx.embed.swing.SwingFXUtils;
import javafx.scene.Scene;
import javafx.scene.control.ToggleButton;
import javafx.stage.Stage;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// Makes docs/screenshots with the real model, trainer and engine: a sample subject is taken, tuned three times and compared.
/// `mvn -pl app -am test -Dtest=ScreenshotsTest -Dtest.excludedGroups= -Dsurefire.failIfNoSpecifiedTests=false`;
/// `-Dscreenshots.steps=N` for a quick look with fewer training steps.
@Tag("slow")
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class ScreenshotsTest {
    @TempDir static Path home;

    private final FakeDesktop desktop = new FakeDesktop();
    private WindowViewModel model;
    private Scene scene;

    @Start void start(Stage stage) {
        Services services = Composition.of(new Home(home), new BackgroundJobs(Platform::runLater), desktop, desktop);
        model = new WindowViewModel(services);
        scene = StudioStage.fill(stage, model, services, stage::hide);
        stage.setWidth(1280);
        stage.setHeight(800);
        stage.show();
        model.load();
    }

    @Test void fromADropToTheExport() throws Exception {
        waitFor(60, () -> model.start().samples().size() == 4 && model.models().current().get() != null);
        shoot("start");
        run(() -> model.start().take(model.start().samples().getFirst()));
        waitFor(60, () -> !model.subjects().isEmpty() && !model.subjects().getFirst().tune().method().costs().isEmpty());
        SubjectPageViewModel page = model.subjects().getFirst();
        waitFor(60, () -> page.subject().thumbnails().size() == 6);
        run(page.tune()::askWhetherItFits);
        waitFor(300, () -> page.tune().fit().busy().get().isEmpty());
        assertTrue(page.tune().fit().line().get().contains(" · about "), page.tune().fit().problem().get());
        shoot("subject");
        settings(page);
        run(() -> page.generate().generate());
        waitFor(300, () -> page.generate().busy().get().isEmpty());
        tune(page);
        run(() -> page.generate().write(new Prompt("a", Prompt.Mention.SUBJECT, "in the snow")));
        run(() -> page.generate().generate());
        waitFor(600, () -> page.generate().busy().get().isEmpty() && page.generate().rows().stream().allMatch(row -> row.measuring().get().isEmpty()));
        shoot("galleries");
        run(model.preferences()::toggleTheme);
        shoot("galleries-dark");
        run(() -> page.large().open(page.generate().rows().get(2), 1));
        shoot("large-dark");
        run(page.large()::close);
        run(model.preferences()::toggleTheme);
        desktop.target = Path.of(System.getProperty("java.io.tmpdir"), "car.safetensors");
        GalleryRow last = page.generate().rows().getLast();
        run(() -> page.export().export(last.run().orElseThrow()));
        waitFor(60, () -> page.export().note().get() != null && page.export().note().get().file().isPresent());
        assertTrue(Files.size(desktop.target) == last.run().orElseThrow().report().orElseThrow().bytes());
        shoot("exported");
        Files.delete(desktop.target);
    }

    /// Methods and training settings, unfolded.
    private void settings(SubjectPageViewModel page) throws Exception {
        ToggleButton fold = (ToggleButton) scene.lookup("#fold-training");
        run(() -> {
            page.tune().training().type(TrainingSetting.VALIDATE, TrainingSetting.YES);
            fold.setSelected(true);
        });
        run(() -> scene.lookup("#option-checkpointing").requestFocus());
        shoot("settings");
        run(() -> fold.setSelected(false));
        run(fold::requestFocus);
    }

    private void tune(SubjectPageViewModel page) throws Exception {
        int steps = Integer.getInteger("screenshots.steps", 0);
        run(() -> {
            if (steps > 0) page.tune().training().type(TrainingSetting.STEPS, String.valueOf(steps));
            page.tune().training().type(TrainingSetting.VALIDATE, TrainingSetting.YES);
            page.tune().start(Choice.ATOMS);
            page.tune().start(Choice.ATOMS_AND_CHANNELS);
            page.tune().start(Choice.LORA);
        });
        waitFor(1800, () -> !page.queue().busy() || page.queue().current().get().choice() == Choice.ATOMS_AND_CHANNELS && page.queue().progress().get().fraction() > 0.65);
        run(page.queue()::pause);
        waitFor(60, () -> page.queue().progress().get().state() == RunProgress.State.PAUSED);
        run(() -> page.runs().generate("a sks car on the beach"));
        waitFor(120, () -> page.queue().drawing().get().isEmpty());
        shoot("tuning");
        run(page.queue()::resume);
        waitFor(3600, () -> !page.queue().busy() && page.runs().runs().size() == 3);
    }

    private static void run(Runnable action) throws Exception {
        WaitForAsyncUtils.asyncFx(action).get();
        WaitForAsyncUtils.waitForFxEvents();
    }

    private static void waitFor(int seconds, Callable<Boolean> condition) throws Exception {
        WaitForAsyncUtils.waitFor(seconds, TimeUnit.SECONDS, () -> WaitForAsyncUtils.asyncFx(condition).get());
        WaitForAsyncUtils.waitForFxEvents();
    }

    private void shoot(String name) throws Exception {
        // Pictures that load in the background.
        Thread.sleep(500);
        WaitForAsyncUtils.waitForFxEvents();
        Path file = Shared.root().resolve("docs/screenshots").resolve(name + ".png");
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(SwingFXUtils.fromFXImage(WaitForAsyncUtils.asyncFx(() -> scene.snapshot(null)).get(), null), "png", file.toFile()));
    }
}
