package atomstudio.app.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.services.Services;
import atomstudio.app.subjects.SubjectViewModel;
import atomstudio.app.trash.Deletions;
import atomstudio.app.window.FakeServices;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubjectViewModelTest {
    @TempDir
    Path folder;
    private SubjectStore store;
    private SubjectViewModel model;
    private NoticesViewModel notices;

    @BeforeEach
    void subject() throws Exception {
        Services services = new FakeServices(folder, new InlineJobs()).services;
        store = services.stores().subjects();
        Subject subject = store.create("car", "", List.of(photo("a.png", 300, 200)), () -> false).subject();
        notices = new NoticesViewModel();
        model = new SubjectViewModel(services,
                new Deletions(services.jobs(), services.stores().trash(), notices), subject);
    }

    private Path photo(String name, int width, int height) throws Exception {
        Path file = folder.resolve(name);
        PngWriter.write(file, RgbImage.filled(width, height, 0x2244AA), Map.of());
        return file;
    }

    @Test
    void coverIsASquareOfTheFirstPhoto() {
        RgbImage cover = model.cover().get().orElseThrow();
        assertEquals(128, cover.width());
        assertEquals(128, cover.height());
    }

    @Test
    void addReportsRejectedFiles() throws Exception {
        Path notes = Files.writeString(folder.resolve("notes.txt"), "hello");
        model.add(List.of(photo("b.png", 10, 10), notes));
        assertEquals(2, model.photos().size());
        assertEquals(List.of("notes.txt"), model.rejected().stream().map(SubjectStore.RejectedFile::file).toList());
        model.dismissMessages();
        assertEquals(0, model.rejected().size());
    }

    @Test
    void savesWordsWhileTyping() throws Exception {
        model.setClassName("c");
        model.setClassName("car ");
        model.setTriggerWord("zwx");
        assertEquals("zwx car", model.subject().get().promptPhrase());
        assertEquals("zwx car", store.list().getFirst().promptPhrase());
    }

    @Test
    void removedPhotoReturnsWithUndo() throws Exception {
        model.add(List.of(photo("b.png", 10, 10)));
        model.remove(model.photos().getFirst());
        assertEquals(List.of("b.png"),
                model.photos().stream().map(photo -> photo.file().getFileName().toString()).toList());
        assertEquals(1, store.list().getFirst().photos().size());
        notices.undo();
        assertEquals(2, model.photos().size());
        assertEquals(2, store.list().getFirst().photos().size());
        assertEquals(List.of(), notices.notices());
    }

    @Test
    void addKeepsTypedWords() throws Exception {
        model.setClassName("car");
        model.add(List.of(photo("b.png", 10, 10)));
        assertEquals("car", model.subject().get().className());
    }

    @Test
    void renamedSubjectKeepsItsFolder() throws Exception {
        model.rename(" My car ");
        model.setClassName("car");
        model.add(List.of(photo("b.png", 10, 10)));
        assertEquals("My car", model.subject().get().title());
        Subject stored = store.list().getFirst();
        assertEquals("My car", stored.title());
        assertEquals("car", stored.name());
        model.rename("");
        assertEquals("car", store.list().getFirst().title());
    }

    @Test
    void captionMaskAndDuplicatesAreFound() throws Exception {
        Path other = photo("b.png", 300, 200);
        Files.writeString(folder.resolve("b.txt"), "a car at night");
        photo("b-mask.png", 300, 200);
        model.add(List.of(other, folder.resolve("b.txt"), folder.resolve("b-mask.png")));
        SubjectViewModel.SubjectPhoto first = model.photos().getFirst();
        SubjectViewModel.SubjectPhoto second = model.photos().get(1);
        assertEquals("a car at night", second.sidecars().caption());
        assertEquals("b-mask.png", second.sidecars().mask().orElseThrow().getFileName().toString());
        assertEquals(Optional.of(first), model.duplicateOf(second));
        assertEquals(Optional.empty(), model.duplicateOf(first));
    }
}
