package atomstudio.app.start;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StartViewModelTest {
    @TempDir
    Path place;
    private final FakeDesktop desktop = new FakeDesktop();
    private final List<SubjectStore.ImportResult> created = new ArrayList<>();
    private final List<String> opened = new ArrayList<>();
    private final SimpleObjectProperty<@Nullable ModelSummary> model = new SimpleObjectProperty<>();

    private StartViewModel model(Jobs jobs) {
        return new StartViewModel(jobs, new SubjectStore(place.resolve("subjects"), new PhotoFinder.DiskPhotoFinder()),
                desktop, model,
                new StartViewModel.Navigation(created::add, () -> opened.add("models"), () -> opened.add("generate")));
    }

    private Path picture(String name) throws Exception {
        Path file = place.resolve(name);
        PngWriter.write(file, RgbImage.filled(8, 8, 0x00FF00), Map.of());
        return file;
    }

    @Test
    void itTellsWhatTheBuiltInModelIsWhileThatIsInUseAndLeadsToOthers() {
        StartViewModel start = model(new InlineJobs());
        assertEquals("", start.modelNotice().get());
        model.set(
                new ModelSummary(Path.of("/embedded"), "Small", ModelSummary.Origin.BUILT_IN, 128, 1, List.of("car")));
        assertTrue(start.modelNotice().get().contains("128-pixel illustrations"), start.modelNotice().get());
        start.openModels();
        start.openGenerate();
        assertEquals(List.of("models", "generate"), opened);
        model.set(new ModelSummary(Path.of("/sd15"), "sd15", ModelSummary.Origin.EXTERNAL, 512, 1, List.of()));
        assertEquals("", start.modelNotice().get());
    }

    @Test
    void droppedPicturesBecomeASubjectAtOnce() throws Exception {
        model(new InlineJobs()).createFromFiles(List.of(picture("a.png"), picture("b.png")));
        assertEquals(2, created.getFirst().addedCount());
        assertEquals("", created.getFirst().subject().className());
        assertEquals("sks", created.getFirst().subject().triggerWord());
    }

    @Test
    void aDroppedFolderNamesTheSubject() throws Exception {
        picture("my owl/1.png");
        model(new InlineJobs()).createFromFiles(List.of(place.resolve("my owl")));
        assertEquals("my owl", created.getFirst().subject().name());
    }

    @Test
    void aSampleBringsItsClassWord() throws Exception {
        Path cover = picture("car/1.png");
        model(new InlineJobs()).useSample(new Subject.SampleSubject("car", "car", cover.getParent(), cover));
        assertEquals("sks car", created.getFirst().subject().promptPhrase());
    }

    @Test
    void filesThatAreNoPicturesAreRefusedByName() throws Exception {
        Path notes = Files.writeString(place.resolve("notes.txt"), "hello");
        StartViewModel model = model(new InlineJobs());
        model.createFromFiles(List.of(notes));
        assertTrue(created.isEmpty());
        assertEquals(List.of("notes.txt"), model.rejected().stream().map(SubjectStore.RejectedFile::file).toList());
        assertEquals("None of these could be read as a picture.", model.problem().get());
        assertEquals("", model.busy().get());
    }

    @Test
    void anEmptyFolderIsSaidToBeEmpty() throws Exception {
        StartViewModel model = model(new InlineJobs());
        model.createFromFiles(List.of(Files.createDirectory(place.resolve("nothing"))));
        assertTrue(model.problem().get().startsWith("There is no picture in it."), model.problem().get());
    }

    @Test
    void itIsBusyUntilThePicturesAreReadAndTakesNoSecondDropMeanwhile() throws Exception {
        ManualJobs jobs = new ManualJobs();
        StartViewModel model = model(jobs);
        model.createFromFiles(List.of(picture("a.png")));
        assertEquals("Reading the pictures…", model.busy().get());
        model.createFromFiles(List.of(picture("b.png")));
        assertEquals(1, jobs.pendingCount());
        jobs.runAll();
        assertEquals("", model.busy().get());
        assertEquals(1, created.size());
    }

    @Test
    void cancellingMakesNothing() throws Exception {
        ManualJobs jobs = new ManualJobs();
        StartViewModel model = model(jobs);
        model.createFromFiles(List.of(picture("a.png")));
        model.cancel();
        jobs.runAll();
        assertTrue(created.isEmpty());
        assertEquals("", model.problem().get());
    }

    @Test
    void closingTheChooserChangesNothing() {
        ManualJobs jobs = new ManualJobs();
        model(jobs).choosePhotos();
        assertEquals(0, jobs.pendingCount());
    }
}
