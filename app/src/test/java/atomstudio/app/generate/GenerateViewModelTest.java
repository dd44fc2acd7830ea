package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateViewModelTest {
    private final FakeDesktop desktop = new FakeDesktop();
    private final FakeRowGenerator generator = new FakeRowGenerator();
    private final SimpleObjectProperty<@Nullable ModelSummary> model = new SimpleObjectProperty<>(
            new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128), 1000,
                    List.of()));
    private final SimpleObjectProperty<@Nullable Subject> subject = new SimpleObjectProperty<>(
            new Subject("car", Path.of("/car"), "car", "sks", List.of()));

    @TempDir
    Path home;

    private GenerateViewModel viewModel(Jobs jobs) {
        GenerateViewModel created = new GenerateViewModel(jobs, generationServices(jobs, home, generator, desktop),
                InstantSource.fixed(Instant.EPOCH), model, subject);
        if (jobs instanceof ManualJobs manual) manual.runAll();
        return created;
    }

    /// Services that save the images in a folder, and delete them without trash.
    public static GenerateViewModel.GenerationServices generationServices(Jobs jobs, Path home, RowGenerator generator,
            FakeDesktop desktop) {
        GalleryViewModel gallery = new GalleryViewModel(jobs,
                new ImageStore(home.resolve("images"), InstantSource.fixed(Instant.EPOCH)),
                (title, files, onChanged) -> files.forEach(file -> assertTrue(file.toFile().delete())));
        return new GenerateViewModel.GenerationServices(generator, desktop, gallery, new JobQueue(jobs),
                () -> desktop.get().generation(), new NoticesViewModel(),
                new AdapterLibrary(jobs, List::of), new GenerationRate());
    }

    /// Generates up to the job that makes the images.
    private static void submit(GenerateViewModel generate, ManualJobs jobs) {
        generate.generate();
        jobs.runLast();
    }

    private static boolean isStale(GalleryRow row) {
        assertFalse(row.cells().isEmpty());
        assertEquals(1, row.cells().stream().map(GalleryRow.GalleryCell::isStale).distinct().count());
        return row.cells().getFirst().isStale();
    }

    @Test
    void builtInModelHasExamplePromptWithoutSubject() {
        subject.set(null);
        GenerateViewModel generate = viewModel(new InlineJobs());
        String example = generate.prompt().get().text("");
        assertEquals("a 3d penguin in the snow", example);
        model.set(new ModelSummary(Path.of("/sd15"), "sd15", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(512), 1,
                List.of()));
        assertEquals("", generate.prompt().get().text(""), "another model has no example");
        generate.prompt().set(new SubjectPrompt("", SubjectPrompt.Mention.NONE, "my own words"));
        model.set(new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128),
                1000, List.of()));
        assertEquals("my own words", generate.prompt().get().text(""), "a typed prompt is kept");
    }

    private static ModelSummary model(SamplerName sampler, double guidanceScale, int size, int layers) {
        return new ModelSummary(Path.of("/sd" + size), "SD", ModelSummary.Origin.EXTERNAL,
                new ModelDefaults(sampler, guidanceScale, size, NumberLimit.between(1, layers)), 1, List.of());
    }

    @Test
    void modelDeterminesSizeSamplerAndGuidance() {
        model.set(model(SamplerName.EULER, 4, 128, 12));
        GenerateViewModel generate = viewModel(new InlineJobs());
        assertEquals("128 × 128", generate.settings().get().size().toString());
        assertEquals(4, generate.settings().get().sampling().guidance().scale());
        assertEquals(SamplerName.EULER, generate.settings().get().sampling().sampler());
        model.set(model(SamplerName.PNDM, 7.5, 512, 12));
        assertEquals("512 × 512", generate.settings().get().size().toString());
        assertEquals(7.5, generate.settings().get().sampling().guidance().scale());
        assertEquals(SamplerName.PNDM, generate.settings().get().sampling().sampler());
    }

    @Test
    void modelChangeKeepsWhatTheUserSet() {
        model.set(model(SamplerName.EULER, 4, 128, 12));
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.updateSettings(now -> now.withSize(new ImageSettings.OutputSize(192, 128))
                .withSampling(now.sampling()
                        .with(SamplerName.HEUN)
                        .withSteps(40)
                        .withClipSkip(11)
                        .with(new Guidance(6, 0.5))));
        model.set(model(SamplerName.PNDM, 7.5, 512, 8));
        ImageSettings settings = generate.settings().get();
        assertEquals("192 × 128", settings.size().toString());
        assertEquals(SamplerName.HEUN, settings.sampling().sampler());
        assertEquals(40, settings.sampling().steps());
        assertEquals(new Guidance(6, 0.5), settings.sampling().guidance());
        assertEquals(8, settings.sampling().clipSkip(), "the new model has only 8 layers");
    }

    @Test
    void subjectIsItsClassWord() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.prompt().set(new SubjectPrompt("a 3d", SubjectPrompt.Mention.SUBJECT, "on the beach"));
        generate.generate();
        assertEquals("a 3d car on the beach", generator.requests.getFirst().prompt());
    }

    @Test
    void promptWithoutSubjectIsPlainText() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.NONE, "red apple"));
        generate.generate();
        assertEquals("a red apple", generator.requests.getFirst().prompt());
    }

    @Test
    void rowHasAnImageOfEverySeed() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.randomizeSeeds(new Random(5));
        generate.generate();
        assertEquals(1, generator.requests.size());
        assertEquals(generate.settings().get().seeds().list(), currentSeeds(generate.row()));
        assertEquals("4 images in 0.0 s", generate.batches().report().get());
    }

    @Test
    void generatesOnlyMissingImages() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        generate.updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(2, 4)));
        generate.generate();
        assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L), generator.generatedSeeds);
        generate.generate();
        assertEquals(2, generator.requests.size());
        assertTrue(generate.batches().report().get().startsWith("Nothing changed."), generate.batches().report().get());
    }

    @Test
    void adapterWeightMakesImagesStale() {
        Path ink = Path.of("/styles/ink.safetensors");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.adapters().add(List.of(ink));
        generate.generate();
        assertFalse(isStale(generate.row()));
        generate.adapters().setWeight(ink, 0.5);
        assertTrue(isStale(generate.row()));
        generate.generate();
        assertEquals(2, generator.requests.size());
        assertEquals("[ink (0.5)]", generator.requests.getLast().adapters().toString());
        assertFalse(isStale(generate.row()));
    }

    @Test
    void changedPromptMarksImagesStale() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on a table"));
        assertTrue(isStale(generate.row()));
        generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"));
        assertFalse(isStale(generate.row()));
    }

    @Test
    void busyTextCountsSteps() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generator.onStep = step -> {
            if (step == 31) assertEquals("Base model · step 30 of 100", generate.batches().busy().get());
        };
        generate.generate();
        assertEquals("", generate.batches().busy().get());
    }

    @Test
    void busyTextNamesTheAdapters() throws IOException {
        Path ink = Files.writeString(home.resolve("ink.safetensors"), "one");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.updateSettings(now -> now.withAdapters(List.of(new ImageSettings.SelectedAdapter(ink, 1))));
        List<String> shown = new ArrayList<>();
        generator.onStep = step -> shown.add(generate.batches().busy().get());
        generate.generate();
        assertTrue(shown.getLast().startsWith("ink · step"), shown.getLast());
    }

    @Test
    void cancelKeepsFinishedImages() {
        // The callback at every step simulates a click during the job.
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel generate = viewModel(jobs);
        generator.onStep = step -> {
            if (step == 26) generate.cancel();
        };
        generate.generate();
        jobs.runAll();
        assertEquals("Cancelled – 1 of 4 images done", generate.batches().report().get());
        assertNotNull(generate.row().cells().get(0).image());
        assertNull(generate.row().cells().get(1).image());
        assertEquals("", generate.batches().busy().get());
    }

    @Test
    void failureIsShownAndImagesRemain() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generator.failure = new Failure.Incompatible(
                "100x100: sides must be multiples of 8; the nearest size that works is 104x104");
        generate.generate();
        assertEquals(generator.failure.getMessage(), generate.batches().problem().get());
        assertNotNull(generate.row().cells().get(0).image());
        generator.failure = null;
        generate.generate();
        assertEquals("", generate.batches().problem().get());
    }

    @Test
    void ignoresGenerateWhileBusy() {
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel generate = viewModel(jobs);
        submit(generate, jobs);
        submit(generate, jobs);
        assertEquals(1, jobs.pendingCount());
        assertEquals("These images are already in the queue.", generate.batches().report().get());
    }

    @Test
    void missingModelIsReported() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        model.set(null);
        generate.generate();
        assertTrue(generate.batches().problem().get().contains("Models"), generate.batches().problem().get());
    }

    @Test
    void fewerSeedsRemoveColumns() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        generate.settings(generate.settings().get().withSeeds(new ImageSettings.Seeds(7, 2)));
        generate.generate();
        assertEquals(List.of(7L, 8L),
                generate.row().cells().stream().map(GalleryRow.GalleryCell::seed).toList());
    }

    private static List<Long> currentSeeds(GalleryRow row) {
        return row.cells()
                .stream()
                .filter(cell -> cell.state() == GalleryRow.CellState.CURRENT)
                .map(GalleryRow.GalleryCell::seed)
                .toList();
    }

    @Test
    void cancelLeavesOldImagesStaleBesideNewOnes() {
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel generate = viewModel(jobs);
        generate.generate();
        jobs.runAll();
        generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on a table"));
        generator.onStep = step -> {
            if (step == 60) generate.cancel();
        };
        generate.generate();
        jobs.runAll();
        GalleryRow row = generate.row();
        assertEquals(List.of(0L, 1L), currentSeeds(row));
        for (GalleryRow.GalleryCell cell : row.cells()) {
            assertEquals(cell.seed(), cell.image().seed().getAsLong(), "an image is shown at its own seed");
            assertEquals(cell.isStale() ? "a car in the snow" : "a car on a table", cell.image().prompt());
        }
    }

    @Test
    void failureWithOtherSeedsShowsNoImageOfAnotherSeed() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        generate.settings(generate.settings().get().withSeeds(new ImageSettings.Seeds(1, 4)));
        generator.failure = new Failure.Incompatible("the second image fails");
        generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on a table"));
        generate.generate();
        GalleryRow row = generate.row();
        assertEquals(List.of(1L), currentSeeds(row));
        assertEquals(List.of(1L, 2L, 3L, 4L), row.cells().stream().map(GalleryRow.GalleryCell::seed).toList());
        assertEquals("Base model · seed 2", row.cells().get(1).image().title());
        assertTrue(row.cells().get(1).isStale());
        assertNull(row.cells().get(3).image(), "seed 4 has no image, not that of column 3");
    }

    @Test
    void cancelledBatchContinuesWithMissingSeeds() {
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel generate = viewModel(jobs);
        generator.onStep = step -> {
            if (step == 60) generate.cancel();
        };
        generate.generate();
        jobs.runAll();
        generator.onStep = step -> {};
        generate.generate();
        jobs.runAll();
        assertEquals(List.of(0L, 1L, 2L, 3L), generator.generatedSeeds);
        assertEquals(List.of(0L, 1L, 2L, 3L), currentSeeds(generate.row()));
    }

    @Test
    void strengthAndModelReturnToTheirImages() {
        Path ink = Path.of("/styles/ink.safetensors");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.adapters().add(List.of(ink));
        generate.generate();
        ModelSummary small = model.get();
        generate.adapters().setWeight(ink, 0.5);
        generate.generate();
        model.set(new ModelSummary(Path.of("/sd15"), "sd15", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(512), 1,
                List.of()));
        generate.generate();
        int before = generator.requests.size();
        model.set(small);
        assertFalse(isStale(generate.row()));
        generate.adapters().setWeight(ink, 1);
        assertFalse(isStale(generate.row()));
        generate.generate();
        assertEquals(before, generator.requests.size(), "nothing is generated again");
    }

    @Test
    void imagesOfTheLastSessionAreFound() {
        viewModel(new InlineJobs()).generate();
        GenerateViewModel reopened = viewModel(new InlineJobs());
        assertEquals(List.of(), currentSeeds(reopened.row()));
        reopened.gallery().load();
        assertEquals("", reopened.gallery().problem().get());
        assertEquals(4, reopened.gallery().images().size());
        assertEquals(List.of(0L, 1L, 2L, 3L), currentSeeds(reopened.row()));
    }

    @Test
    void replacedAdapterMakesItsImagesStale() throws IOException {
        Path ink = Files.writeString(home.resolve("ink.safetensors"), "one");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.updateSettings(now -> now.withAdapters(List.of(new ImageSettings.SelectedAdapter(ink, 1))));
        generate.generate();
        assertFalse(isStale(generate.row()));
        FileTime before = Files.getLastModifiedTime(ink);
        Files.writeString(ink, "two");
        Files.setLastModifiedTime(ink, FileTime.from(before.toInstant().plusSeconds(1)));
        generate.checkFiles();
        assertTrue(isStale(generate.row()), "the file has the same size and another content");
        generate.generate();
        assertEquals(2, generator.requests.size());
        Files.setLastModifiedTime(Files.writeString(ink, "one"), before);
        generate.checkFiles();
        assertFalse(isStale(generate.row()));
        generate.generate();
        assertEquals(2, generator.requests.size(), "the first version's images are found again");
    }

    @Test
    void replacedAdapterIsNoticedWhenGenerating() throws IOException {
        Path ink = Files.writeString(home.resolve("ink.safetensors"), "one");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.updateSettings(now -> now.withAdapters(List.of(new ImageSettings.SelectedAdapter(ink, 1))));
        generate.generate();
        Files.writeString(ink, "a longer file");
        generate.generate();
        assertEquals(2, generator.requests.size());
    }

    @Test
    void replacedModelMakesImagesStale() throws IOException {
        Path folder = Files.createDirectories(home.resolve("model/unet"));
        Path weights = Files.writeString(folder.resolve("diffusion_pytorch_model.safetensors"), "one");
        model.set(new ModelSummary(home.resolve("model"), "Small", ModelSummary.Origin.EXTERNAL,
                ModelDefaults.ofSize(128), 1000, List.of()));
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        Files.writeString(weights, "a longer file");
        generate.checkFiles();
        assertTrue(isStale(generate.row()));
    }

    @Test
    void adapterThatIsSwitchedOffHasNoEffect() {
        Path ink = Path.of("/styles/ink.safetensors");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        generate.updateSettings(now -> now.withAdapters(List.of(new ImageSettings.SelectedAdapter(ink, 0.5))));
        assertTrue(isStale(generate.row()));
        generate.adapters().setSwitch(ink, ImageSettings.SelectedAdapter.AdapterSwitch.OFF);
        assertFalse(isStale(generate.row()));
        generate.adapters().setSwitch(ink, ImageSettings.SelectedAdapter.AdapterSwitch.ON);
        assertEquals("[ink (0.5)]", generate.settings().get().activeAdapters().toString(), "its weight is kept");
    }

    @Test
    void imageThatCannotBeSavedStaysWithAWarning() throws Exception {
        Files.writeString(home.resolve("images"), "a file in the place of the folder");
        GenerateViewModel generate = viewModel(new InlineJobs());
        generate.generate();
        GalleryRow row = generate.row();
        assertEquals(List.of(0L, 1L, 2L, 3L), currentSeeds(row));
        assertTrue(row.warning().get().startsWith("Not saved: 0. "), row.warning().get());
        assertEquals(RgbImage.filled(4, 4, 0x100002), row.cells().get(2).image().read());
    }

    @Test
    void secondBatchWaitsInTheQueue() {
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel generate = viewModel(jobs);
        submit(generate, jobs);
        generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on a table"));
        submit(generate, jobs);
        assertEquals(1, jobs.pendingCount(), "one job at a time");
        jobs.runAll();
        assertEquals(2, generator.requests.size());
        assertEquals(8, generate.gallery().images().size());
        assertEquals(List.of(0L, 1L, 2L, 3L), currentSeeds(generate.row()));
    }

    @Test
    void upShowsEarlierPromptsAndDownTheDraft() {
        GenerateViewModel generate = viewModel(new InlineJobs());
        for (String place : List.of("in the snow", "on a table", "at night")) {
            generate.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, place));
            generate.generate();
        }
        SubjectPrompt draft = new SubjectPrompt("a big", SubjectPrompt.Mention.SUBJECT, "");
        generate.prompt().set(draft);
        for (int i = 0; i < 5; i++) generate.prompt().showOlder();
        assertEquals(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"), generate.prompt().get());
        generate.prompt().showNewer();
        assertEquals("on a table", generate.prompt().get().after());
        generate.prompt().showNewer();
        generate.prompt().showNewer();
        generate.prompt().showNewer();
        assertEquals(draft, generate.prompt().get());
    }
}
