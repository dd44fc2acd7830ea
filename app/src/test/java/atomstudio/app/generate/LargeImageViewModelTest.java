package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngText;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import javafx.beans.property.SimpleObjectProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LargeImageViewModelTest {
    @TempDir
    Path folder;
    private final FakeDesktop desktop = new FakeDesktop();
    private GenerateViewModel generate;
    private LargeImageViewModel largeImage;

    @BeforeEach
    void createRows() {
        generate = new GenerateViewModel(new InlineJobs(),
                new GenerateViewModel.GenerationServices(new FakeRowGenerator(), desktop),
                InstantSource.system(),
                new SimpleObjectProperty<>(new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN,
                        128, 1000, List.of())),
                new SimpleObjectProperty<>(new Subject("car", Path.of("/car"), "car", "sks", List.of())));
        generate.showRuns(List.of(GenerateViewModelTest.run(MethodName.ATOMS, "sks"),
                GenerateViewModelTest.run(MethodName.LORA, "sks")));
        generate.generate();
        largeImage = new LargeImageViewModel(new InlineJobs(), desktop, desktop, generate);
        largeImage.open(generate.rows().get(0), 1);
    }

    private String title() {
        LargeImageViewModel.ShownImage shown = largeImage.shown().get();
        return shown == null ? "none" : shown.title();
    }

    @Test
    void moveRowKeepsSeed() {
        largeImage.moveRow(1);
        assertEquals("Filter atoms · seed 1", title());
        largeImage.moveRow(1);
        largeImage.moveRow(1);
        assertEquals("LoRA rank 4 · seed 1", title());
        largeImage.moveRow(-1);
        assertEquals("Filter atoms · seed 1", title());
    }

    @Test
    void moveColumnStopsAtLastSeed() {
        for (int i = 0; i < 9; i++) largeImage.moveColumn(1);
        assertEquals("Base model · seed 3", title());
        largeImage.moveColumn(-1);
        assertEquals("Base model · seed 2", title());
    }

    @Test
    void moveRowSkipsRowsWithoutImage() {
        generate.showRuns(List.of(GenerateViewModelTest.run(MethodName.ATOMS, "sks"),
                GenerateViewModelTest.run(MethodName.CHANNELS, "sks"),
                GenerateViewModelTest.run(MethodName.LORA, "sks")));
        largeImage.moveRow(1);
        largeImage.moveRow(1);
        assertEquals("LoRA rank 4 · seed 1", title());
    }

    @Test
    void savedImageContainsInfotext() throws Exception {
        desktop.saveTarget = folder.resolve("car.png");
        largeImage.save();
        assertEquals("base-model-1.png", desktop.lastSuggestedName);
        assertEquals("Saved to " + desktop.saveTarget, largeImage.message().get());
        Infotext text = Infotext.parse(PngText.read(desktop.saveTarget).get(Infotext.PNG_KEYWORD));
        assertEquals("a car in the snow", text.prompt().lines().findFirst().orElseThrow());
    }

    @Test
    void saveFailureIsReported() throws Exception {
        Files.writeString(folder.resolve("file"), "not a folder");
        desktop.saveTarget = folder.resolve("file/car.png");
        largeImage.save();
        assertTrue(largeImage.message().get().contains("cannot be written"), largeImage.message().get());
    }

    @Test
    void copiesSettings() {
        largeImage.copySettings();
        assertTrue(desktop.copiedText.startsWith("a car in the snow"), desktop.copiedText);
    }

    @Test
    void closeHidesImage() {
        largeImage.close();
        largeImage.moveRow(1);
        assertNull(largeImage.shown().get());
    }
}
