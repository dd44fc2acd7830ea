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
import java.util.Optional;
import javafx.beans.property.SimpleObjectProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LargeImageViewModelTest {
    @TempDir
    Path place;
    private final FakeDesktop desktop = new FakeDesktop();
    private GenerateViewModel galleries;
    private LargeImageViewModel large;

    @BeforeEach
    void twoRowsOfPictures() {
        galleries = new GenerateViewModel(new InlineJobs(),
                new GenerateViewModel.GenerationServices(
                        new FakeRowGenerator(), (question, cancellation) -> Optional.empty(), desktop),
                InstantSource.system(),
                new SimpleObjectProperty<>(new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN,
                        128, 1000, List.of())),
                new SimpleObjectProperty<>(new Subject("car", Path.of("/car"), "car", "sks", List.of())));
        galleries.showRuns(List.of(GenerateViewModelTest.run(MethodName.ATOMS, "sks"),
                GenerateViewModelTest.run(MethodName.LORA, "sks")));
        galleries.generate();
        large = new LargeImageViewModel(new InlineJobs(), desktop, desktop, galleries);
        large.open(galleries.rows().get(0), 1);
    }

    private String title() {
        LargeImageViewModel.ShownImage shown = large.shown().get();
        return shown == null ? "none" : shown.title();
    }

    @Test
    void downGoesToTheSameSeedInTheNextRow() {
        large.moveRow(1);
        assertEquals("Filter atoms · seed 1", title());
        large.moveRow(1);
        large.moveRow(1);
        assertEquals("LoRA rank 4 · seed 1", title());
        large.moveRow(-1);
        assertEquals("Filter atoms · seed 1", title());
    }

    @Test
    void rightGoesToTheNextSeedAndStopsAtTheLast() {
        for (int i = 0; i < 9; i++) large.moveColumn(1);
        assertEquals("Base · seed 3", title());
        large.moveColumn(-1);
        assertEquals("Base · seed 2", title());
    }

    @Test
    void aRowWithoutAPictureOfThatSeedIsPassedOver() {
        galleries.showRuns(List.of(GenerateViewModelTest.run(MethodName.ATOMS, "sks"),
                GenerateViewModelTest.run(MethodName.CHANNELS, "sks"),
                GenerateViewModelTest.run(MethodName.LORA, "sks")));
        large.moveRow(1);
        large.moveRow(1);
        assertEquals("LoRA rank 4 · seed 1", title());
    }

    @Test
    void aSavedPictureCarriesHowItWasMade() throws Exception {
        desktop.target = place.resolve("car.png");
        large.save();
        assertEquals("base-1.png", desktop.lastSuggestedName);
        assertEquals("Saved to " + desktop.target, large.message().get());
        Infotext text = Infotext.parse(PngText.read(desktop.target).get(Infotext.PNG_KEYWORD));
        assertEquals("a car in the snow", text.prompt().lines().findFirst().orElseThrow());
    }

    @Test
    void aPictureThatCannotBeSavedIsSaidSoInTheSamePlace() throws Exception {
        Files.writeString(place.resolve("file"), "in the way");
        desktop.target = place.resolve("file/car.png");
        large.save();
        assertTrue(large.message().get().contains("cannot be written"), large.message().get());
    }

    @Test
    void settingsCanBeCopied() {
        large.copySettings();
        assertTrue(desktop.copiedText.startsWith("a car in the snow"), desktop.copiedText);
    }

    @Test
    void closingShowsNone() {
        large.close();
        large.moveRow(1);
        assertNull(large.shown().get());
    }
}
