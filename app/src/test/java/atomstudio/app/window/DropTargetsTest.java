package atomstudio.app.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.window.DropTargets.DropKind;
import atomstudio.app.window.DropTargets.DropTarget;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DropTargetsTest {
    @TempDir
    Path folder;
    private WindowViewModel window;

    @BeforeEach
    void open() {
        window = new WindowViewModel(new FakeServices(folder.resolve("home"), new InlineJobs()).services);
        window.load();
    }

    private Path image(String name) throws Exception {
        Path file = folder.resolve(name);
        PngWriter.write(file, RgbImage.filled(8, 8, 0x00FF00), Map.of());
        return file;
    }

    private List<DropKind> kinds() {
        return window.drops().shown().get().stream().map(DropTarget::kind).toList();
    }

    private void drop(DropKind kind) {
        window.drops()
                .shown()
                .get()
                .stream()
                .filter(target -> target.kind() == kind)
                .findFirst()
                .orElseThrow()
                .run()
                .run();
    }

    @Test
    void onlyWhatFitsTheFilesIsOffered() throws Exception {
        window.drops().enter(List.of(image("plain.png")));
        assertEquals(List.of(DropKind.NEW_SUBJECT, DropKind.SOURCE), kinds());
        window.drops().enter(List.of(image("a.png"), image("b.png")));
        assertEquals(List.of(), window.drops()
                .shown()
                .get()
                .stream()
                .filter(one -> one.kind() == DropKind.SOURCE)
                .toList(), "one source only");
        window.drops().exit();
        assertEquals(List.of(), kinds());
    }

    @Test
    void imageWithSettingsCanRestoreThem() throws Exception {
        window.start().useSample(window.start().samples().getFirst());
        Path image = folder.resolve("made.png");
        PngWriter.write(image, RgbImage.filled(8, 8, 0),
                new ImageMetadata(Infotext.of("a red apple", "").withSteps(11).withGuidanceScale(4).withSeed(5),
                        List.of()));
        window.drops().enter(List.of(image));
        assertEquals(List.of(DropKind.NEW_SUBJECT, DropKind.SUBJECT, DropKind.SOURCE, DropKind.SETTINGS), kinds());
        drop(DropKind.SETTINGS);
        assertEquals("a red apple", window.shownGenerate().orElseThrow().prompt().get().text(""));
    }

    @Test
    void sourceOpensTheGeneratePage() throws Exception {
        window.openModels();
        window.drops().enter(List.of(image("plain.png")));
        drop(DropKind.SOURCE);
        assertInstanceOf(WindowPage.GeneratePage.class, window.page().get());
        assertEquals("plain.png", window.shownGenerate()
                .orElseThrow()
                .settings()
                .get()
                .source()
                .image()
                .orElseThrow()
                .name());
    }

    @Test
    void singleTargetNeedsNoChoice() throws Exception {
        Path adapter = Files.writeString(folder.resolve("ink.safetensors"), "weights");
        window.drops().enter(List.of(adapter));
        assertEquals(List.of(), kinds(), "nothing to choose from");
        window.drops().drop(List.of(adapter));
        assertEquals(List.of(adapter), window.shownGenerate()
                .orElseThrow()
                .adapters()
                .selected()
                .stream()
                .map(selected -> selected.file())
                .toList());
    }
}
