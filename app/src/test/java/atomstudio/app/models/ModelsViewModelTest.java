package atomstudio.app.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ModelsViewModelTest {
    private static final Path SD = Path.of("/models/sd15");
    private final FakeDesktop desktop = new FakeDesktop();
    private Optional<String> missingTokenizer = Optional.empty();

    private final ModelSummary.SummaryReader reader = new ModelSummary.SummaryReader() {
        @Override
        public ModelSummary readBuiltIn() {
            return new ModelSummary(Path.of("/embedded"), "Small", ModelSummary.Origin.BUILT_IN,
                    ModelDefaults.ofSize(128), 1,
                    List.of("car"));
        }

        @Override
        public ModelSummary read(Path folder) throws Failure {
            if (folder.endsWith("broken")) throw new IllegalStateException("a bug");
            if (!folder.equals(SD)) throw new Failure.Unreadable(folder + ": is not a model folder");
            return new ModelSummary(folder, "sd15", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(512),
                    859_520_964L, List.of(),
                    new ModelSummary.ModelWarnings(List.of(), missingTokenizer));
        }
    };

    private ModelsViewModel model(Jobs jobs) {
        ModelsViewModel model = new ModelsViewModel(jobs, reader, desktop, desktop, desktop);
        model.load();
        return model;
    }

    @Test
    void cancelledOpeningDropsLateResult() {
        ManualJobs jobs = new ManualJobs();
        ModelsViewModel model = model(jobs);
        jobs.runAll();
        model.open(SD);
        assertTrue(model.cancellable().get());
        model.cancel();
        assertEquals("", model.busy().get());
        assertFalse(model.cancellable().get());
        jobs.runAll();
        assertEquals("Small", model.current().get().name(), "the late result is dropped");
        model.open(SD);
        jobs.runAll();
        assertEquals("sd15", model.current().get().name(), "the next one opens");
    }

    @Test
    void builtInModelIsFirst() {
        assertEquals("Small · 128 px", model(new InlineJobs()).current().get().title());
    }

    @Test
    void selectedModelIsSaved() {
        ModelsViewModel model = model(new InlineJobs());
        desktop.folder = SD;
        model.chooseFolder();
        assertEquals("sd15 · 512 px", model.current().get().title());
        assertEquals(2, model.known().size());
        ModelsViewModel nextStart = model(new InlineJobs());
        assertEquals(SD, nextStart.current().get().path());
        nextStart.select(nextStart.known().getFirst());
        assertEquals("Small", model(new InlineJobs()).current().get().name());
    }

    @Test
    void opensSingleFileModel() {
        ModelsViewModel model = model(new InlineJobs());
        desktop.folder = SD;
        model.chooseFile();
        assertEquals("sd15 · 512 px", model.current().get().title());
        assertEquals(List.of(SD), desktop.get().otherModels());
    }

    @Test
    void rejectsFolderWithoutModel() {
        ModelsViewModel model = model(new InlineJobs());
        model.open(Path.of("/music"));
        assertEquals("music is not a model folder. Path: /music", model.problem().get());
        assertEquals("Small", model.current().get().name());
        model.open(SD);
        assertEquals("", model.problem().get());
    }

    @Test
    void missingModelIsListedAsUnreadable() {
        desktop.update(
                settings -> settings.withModels(List.of(Path.of("/gone"))).withModel(Optional.of(Path.of("/gone"))));
        ModelsViewModel model = model(new InlineJobs());
        assertEquals("Small", model.current().get().name());
        assertEquals(
                List.of(new ModelsViewModel.UnreadableModel(Path.of("/gone"),
                        "gone is not a model folder. Path: /gone")),
                model.unreadable());
        model.open(SD);
        assertEquals(List.of(Path.of("/gone"), SD), desktop.get().otherModels(), "its disk may come back");
        model.remove(model.unreadable().getFirst());
        assertEquals(List.of(SD), desktop.get().otherModels());
        assertEquals(List.of(), model.unreadable());
    }

    @Test
    void reopenedModelReplacesItsEntry() {
        ModelsViewModel model = model(new InlineJobs());
        model.open(SD);
        missingTokenizer = Optional.of("no tokenizer");
        model.open(SD);
        assertEquals(Optional.of("no tokenizer"), model.current().get().warnings().missingTokenizer());
        assertEquals(2, model.known().size());
        assertEquals(List.of(SD), desktop.get().otherModels());
    }

    @Test
    void unexpectedErrorIsNotAnUnreadableModel() {
        desktop.update(settings -> settings.withModels(List.of(Path.of("/broken"))));
        ModelsViewModel model = model(new InlineJobs());
        assertTrue(model.problem().get().contains("failed unexpectedly"), model.problem().get());
        assertEquals(List.of(), model.unreadable());
    }

    @Test
    void removedModelIsDeselected() {
        ModelsViewModel model = model(new InlineJobs());
        model.open(SD);
        model.remove(model.current().get());
        assertEquals("Small", model.current().get().name());
        assertEquals(List.of(), desktop.get().otherModels());
    }

    @Test
    void busyWhileReading() {
        ManualJobs jobs = new ManualJobs();
        ModelsViewModel model = model(jobs);
        assertEquals("Reading models…", model.busy().get());
        jobs.runAll();
        assertEquals("", model.busy().get());
    }
}
