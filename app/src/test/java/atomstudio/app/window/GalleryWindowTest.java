package atomstudio.app.window;

import static atomstudio.app.window.FakeWindow.focus;
import static atomstudio.app.window.FakeWindow.waitFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.ImageTags;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javafx.css.PseudoClass;
import javafx.scene.Node;
import javafx.scene.Parent;
import javafx.scene.control.Label;
import javafx.scene.image.ImageView;
import javafx.scene.input.KeyCode;
import javafx.stage.Stage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.testfx.api.FxRobot;
import org.testfx.framework.junit5.ApplicationExtension;
import org.testfx.framework.junit5.Start;
import org.testfx.util.WaitForAsyncUtils;

/// The strip, the large image and the queue in the real window.
@ExtendWith({DisplayCondition.class, ApplicationExtension.class})
class GalleryWindowTest {
    @TempDir
    static Path home;

    private final CountDownLatch release = new CountDownLatch(1);
    private FakeWindow window;

    @Start
    void start(Stage stage) throws IOException {
        window = FakeWindow.open(stage, home);
    }

    @AfterEach
    void releaseGenerator() {
        release.countDown();
    }

    private GenerateViewModel generatePage() throws Exception {
        waitFor(() -> window.model().models().current().get() != null);
        WaitForAsyncUtils.asyncFx(window.model()::openGenerate).get();
        return ((WindowPage.GeneratePage) window.model().page().get()).generate();
    }

    private void generate(String prompt) throws Exception {
        GenerateViewModel page = generatePage();
        WaitForAsyncUtils.asyncFx(() -> {
            page.prompt().set(SubjectPrompt.ofText(prompt));
            page.generate();
        }).get();
        waitFor(() -> page.batches().busy().get().isEmpty());
    }

    private static List<Node> tiles(FxRobot robot) {
        return robot.lookup("#gallery-strip .gallery-tile").queryAll().stream().filter(Node::isVisible).toList();
    }

    @Test
    void imagesAppearInTheStripAndOpenLarge(FxRobot robot) throws Exception {
        generate("a red apple");
        waitFor(() -> tiles(robot).size() == 4);
        robot.clickOn(tiles(robot).getFirst());
        waitFor(() -> robot.lookup("#large-image").query().isVisible());
        waitFor(() -> window.model().largeImage().shown().get().pixels() != null);
        window.screenshot("large-image");
        GalleryImage newest = window.model().gallery().images().getFirst();
        assertEquals(newest, window.model().largeImage().shown().get().image());
        robot.type(KeyCode.RIGHT).type(KeyCode.S);
        WaitForAsyncUtils.waitForFxEvents();
        GalleryImage second = window.model().gallery().images().get(1);
        assertEquals(second, window.model().largeImage().shown().get().image());
        assertTrue(window.model().gallery().isStarred(second));
        robot.type(KeyCode.DELETE);
        waitFor(() -> Files.notExists(second.file()));
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> !robot.lookup("#large-image").query().isVisible());
        waitFor(() -> !window.model().notices().notices().isEmpty());
        WaitForAsyncUtils
                .asyncFx(() -> window.model().notices().act(window.model().notices().notices().getFirst()))
                .get();
        waitFor(() -> Files.exists(second.file()) && window.model().gallery().images().contains(second));
    }

    @Test
    void arrowKeysMoveOverTheTilesOfTheGallery(FxRobot robot) throws Exception {
        generate("a red apple");
        WaitForAsyncUtils.asyncFx(() -> window.model().open(Screen.GALLERY)).get();
        waitFor(() -> robot.lookup("#gallery-grid").tryQuery().isPresent());
        focus(robot, "#gallery-grid");
        robot.type(KeyCode.DOWN, KeyCode.RIGHT, KeyCode.S);
        GalleryImage second = window.model().gallery().images().get(1);
        waitFor(() -> window.model().gallery().isStarred(second));
        assertEquals(1, robot.lookup("#gallery-grid .gallery-tile")
                .queryAll()
                .stream()
                .filter(tile -> tile.getPseudoClassStates().contains(PseudoClass.getPseudoClass("current")))
                .count());
        robot.type(KeyCode.ENTER);
        waitFor(() -> window.model().largeImage().shown().get() != null);
        assertEquals(second, window.model().largeImage().shown().get().image());
        robot.type(KeyCode.ESCAPE);
        waitFor(() -> window.model().largeImage().shown().get() == null);
        robot.type(KeyCode.END, KeyCode.RIGHT, KeyCode.DELETE);
        waitFor(() -> window.model().gallery().images().size() == 3);
        assertEquals(second, window.model().gallery().images().get(1), "the last image was deleted");
    }

    @Test
    void spaceBlinksAndTheDividerWipes(FxRobot robot) throws Exception {
        generate("a red apple");
        waitFor(() -> tiles(robot).size() >= 4);
        robot.clickOn(tiles(robot).getFirst());
        waitFor(() -> robot.lookup("#large-image").query().isVisible());
        robot.type(KeyCode.RIGHT);
        waitFor(() -> window.model().largeImage().compared().get() != null
                && window.model().largeImage().shown().get().pixels() != null);
        List<ImageView> views = ((Parent) robot.lookup("#large-image-zoom").query()).getChildrenUnmodifiable()
                .stream()
                .filter(ImageView.class::isInstance)
                .map(ImageView.class::cast)
                .toList();
        ImageView compared = views.getLast();
        assertFalse(compared.isVisible());
        robot.press(KeyCode.SPACE);
        waitFor(compared::isVisible);
        assertEquals(null, compared.getClip(), "the whole image");
        Label title = robot.lookup("#large-image-title").queryAs(Label.class);
        assertEquals(window.model().largeImage().compared().get().image().title(), title.getText());
        robot.release(KeyCode.SPACE);
        waitFor(() -> !compared.isVisible());
        assertEquals(window.model().largeImage().shown().get().image().title(), title.getText());
        robot.type(KeyCode.W);
        waitFor(() -> compared.isVisible() && compared.getClip() != null);
        double before = views.getFirst().getFitWidth();
        robot.type(KeyCode.DIGIT1);
        waitFor(() -> views.getFirst().getFitWidth() == 128);
        assertTrue(before > 128, "fitted: " + before);
        robot.type(KeyCode.F);
        waitFor(() -> views.getFirst().getFitWidth() == before);
        robot.type(KeyCode.ESCAPE);
    }

    @Test
    void imagesOfAnotherPageAreCancelledInTheStatusBar(FxRobot robot) throws Exception {
        window.openSubject(robot, "car");
        window.fake().onStep = () -> {
            try {
                release.await(20, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        GenerateViewModel subjectPage = window.model().subjects().pages().getFirst().generate();
        WaitForAsyncUtils.asyncFx(subjectPage::generate).get();
        GenerateViewModel page = generatePage();
        WaitForAsyncUtils.asyncFx(() -> {
            page.prompt().set(SubjectPrompt.ofText("a blue house"));
            page.generate();
        }).get();
        waitFor(() -> robot.lookup("#queue .queue-entry").queryAll().size() == 2);
        List<Label> titles = robot.lookup("#queue .queue-entry .label").queryAllAs(Label.class).stream().toList();
        assertTrue(titles.stream().anyMatch(label -> label.getText().equals("4 images “a blue house” · Waiting")),
                titles.toString());
        window.screenshot("queue");
        robot.clickOn(robot.lookup("#queue .queue-cancel").nth(1).<Node>query());
        waitFor(() -> page.batches().busy().get().isEmpty());
        assertEquals("Cancelled – 0 of 4 images done", page.batches().report().get());
        assertFalse(window.model().subjects().pages().getFirst().compare().batches().busy().get().isEmpty(),
                "the other page goes on");
        release.countDown();
        waitFor(() -> window.model().images().isIdle());
        assertEquals(1, window.fake().requests.size());
    }

    @Test
    void stripHasNodesOnlyForVisibleImages(FxRobot robot) throws Exception {
        generatePage();
        RgbImage pixels = RgbImage.filled(8, 8, 0x3465A4);
        Infotext infotext = Infotext.of("a car", "").withSteps(4).withGuidanceScale(4).withSeed(1);
        WaitForAsyncUtils.asyncFx(() -> {
            for (int i = 0; i < 2000; i++)
                window.model()
                        .gallery()
                        .add(new GalleryImage(Path.of("/" + i), Instant.EPOCH, ImageTags.NONE, infotext,
                                Optional.of(pixels)));
        }).get();
        WaitForAsyncUtils.waitForFxEvents();
        assertTrue(robot.lookup("#gallery-strip .gallery-tile").queryAll().size() < 40);
        robot.clickOn("#gallery-search").write("owl");
        waitFor(() -> window.model().gallery().shown().isEmpty());
        robot.eraseText(3);
        waitFor(() -> window.model().gallery().shown().size() == 2000);
        window.screenshot("strip");
    }

    @Test
    void upShowsTheLastPrompt(FxRobot robot) throws Exception {
        generate("a red apple");
        robot.clickOn("#prompt").eraseText(20).write("a");
        focus(robot, "#prompt");
        robot.type(KeyCode.UP);
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a red apple", generatePage().prompt().get().text(""));
        robot.type(KeyCode.DOWN);
        WaitForAsyncUtils.waitForFxEvents();
        assertEquals("a", generatePage().prompt().get().text(""));
    }

    @Test
    void onlyThePhotosInSightHaveNodes(FxRobot robot) throws Exception {
        Path photos = Files.createTempDirectory(home, "photos");
        for (int i = 0; i < 300; i++)
            PngWriter.write(photos.resolve("photo-%03d.png".formatted(i)), RgbImage.filled(24, 16, i * 800), Map.of());
        WaitForAsyncUtils.asyncFx(() -> window.model().start().createFromFiles(List.of(photos))).get();
        waitFor(() -> !window.model().subjects().pages().isEmpty()
                && window.model().subjects().pages().getFirst().subject().photos().size() == 300);
        WaitForAsyncUtils
                .asyncFx(
                        () -> window.model().subjects().pages().getFirst().openTab(SubjectPageViewModel.PageTab.PHOTOS))
                .get();
        waitFor(() -> robot.lookup(".photo-tile").queryAll().size() > 3);
        int atFirst = robot.lookup(".photo-tile").queryAll().size();
        robot.interact(() -> robot.lookup("#photos-grid").queryListView().scrollTo(1000));
        waitFor(() -> robot.lookup("photo-299.png").tryQuery().isPresent());
        assertTrue(robot.lookup("photo-000.png").tryQuery().isEmpty(), "the tile of the first photo is reused");
        int atTheEnd = robot.lookup(".photo-tile").queryAll().size();
        assertTrue(atFirst < 40 && atTheEnd < 40, atFirst + " tiles, " + atTheEnd + " at the end");
        waitFor(() -> robot.lookup(".photo-tile .image-view")
                .queryAllAs(ImageView.class)
                .stream()
                .allMatch(view -> view.getImage() != null));
    }
}
