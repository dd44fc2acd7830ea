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
import atomstudio.app.pipeline.ModelDefaults;
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
    Path folder;
    private final FakeDesktop desktop = new FakeDesktop();
    private final List<SubjectStore.ImportResult> created = new ArrayList<>();
    private final List<String> opened = new ArrayList<>();
    private final SimpleObjectProperty<@Nullable ModelSummary> model = new SimpleObjectProperty<>();

    private StartViewModel model(Jobs jobs) {
        return new StartViewModel(jobs, new SubjectStore(folder.resolve("subjects"), new PhotoFinder.DiskPhotoFinder()),
                desktop, model,
                new StartViewModel.Navigation(created::add, created::add, () -> opened.add("models"),
                        () -> opened.add("generate")));
    }

    private Path photo(String name) throws Exception {
        Path file = folder.resolve(name);
        PngWriter.write(file, RgbImage.filled(8, 8, 0x00FF00), Map.of());
        return file;
    }

    @Test
    void showsNoticeForBuiltInModel() {
        StartViewModel start = model(new InlineJobs());
        assertEquals("", start.modelNotice().get());
        model.set(
                new ModelSummary(Path.of("/embedded"), "Small", ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128),
                        1, List.of("car")));
        assertTrue(start.modelNotice().get().contains("128-pixel illustrations"), start.modelNotice().get());
        start.openModels();
        start.openGenerate();
        assertEquals(List.of("models", "generate"), opened);
        model.set(new ModelSummary(Path.of("/sd15"), "sd15", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(512), 1,
                List.of()));
        assertEquals("", start.modelNotice().get());
    }

    @Test
    void droppedPhotosCreateSubject() throws Exception {
        model(new InlineJobs()).createFromFiles(List.of(photo("a.png"), photo("b.png")));
        assertEquals(2, created.getFirst().addedCount());
        assertEquals("", created.getFirst().subject().className());
        assertEquals("sks", created.getFirst().subject().triggerWord());
    }

    @Test
    void droppedFolderNamesSubject() throws Exception {
        photo("my owl/1.png");
        model(new InlineJobs()).createFromFiles(List.of(folder.resolve("my owl")));
        assertEquals("my owl", created.getFirst().subject().name());
    }

    @Test
    void sampleHasClassWord() throws Exception {
        Path cover = photo("car/1.png");
        model(new InlineJobs()).useSample(new Subject.SampleSubject("car", "car", cover.getParent(), cover));
        assertEquals("sks car", created.getFirst().subject().promptPhrase());
    }

    @Test
    void rejectsFilesThatAreNotImages() throws Exception {
        Path notes = Files.writeString(folder.resolve("notes.txt"), "hello");
        StartViewModel model = model(new InlineJobs());
        model.createFromFiles(List.of(notes));
        assertTrue(created.isEmpty());
        assertEquals(List.of("notes.txt"), model.rejected().stream().map(SubjectStore.RejectedFile::file).toList());
        assertEquals("None of these files could be read as an image.", model.problem().get());
        assertEquals("", model.busy().get());
    }

    @Test
    void emptyFolderIsReported() throws Exception {
        StartViewModel model = model(new InlineJobs());
        model.createFromFiles(List.of(Files.createDirectory(folder.resolve("nothing"))));
        assertTrue(model.problem().get().startsWith("No photos found."), model.problem().get());
    }

    @Test
    void ignoresDropWhileBusy() throws Exception {
        ManualJobs jobs = new ManualJobs();
        StartViewModel model = model(jobs);
        model.createFromFiles(List.of(photo("a.png")));
        assertEquals("Reading photos…", model.busy().get());
        model.createFromFiles(List.of(photo("b.png")));
        assertEquals(1, jobs.pendingCount());
        jobs.runAll();
        assertEquals("", model.busy().get());
        assertEquals(1, created.size());
    }

    @Test
    void cancelCreatesNothing() throws Exception {
        ManualJobs jobs = new ManualJobs();
        StartViewModel model = model(jobs);
        model.createFromFiles(List.of(photo("a.png")));
        model.cancel();
        jobs.runAll();
        assertTrue(created.isEmpty());
        assertEquals("", model.problem().get());
    }

    @Test
    void cancelledChooserChangesNothing() {
        ManualJobs jobs = new ManualJobs();
        model(jobs).choosePhotos();
        assertEquals(0, jobs.pendingCount());
    }
}
