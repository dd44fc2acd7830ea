package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GenerateViewModelTest {
    private final FakeDesktop desktop = new FakeDesktop();
    private final FakeRowGenerator maker = new FakeRowGenerator();
    private final List<RowEvaluator.EvaluationRequest> questions = new ArrayList<>();
    private Optional<String> encoder = Optional.of("image_encoder of Small");
    private @Nullable Failure judgeFailure;
    private final SimpleObjectProperty<@Nullable ModelSummary> model = new SimpleObjectProperty<>(
            new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN, 128, 1000, List.of()));
    private final SimpleObjectProperty<@Nullable Subject> subject = new SimpleObjectProperty<>(
            new Subject("car", Path.of("/car"), "car", "sks", List.of()));

    private GenerateViewModel galleries(Jobs jobs) {
        return new GenerateViewModel(jobs, new GenerateViewModel.GenerationServices(maker, this::judge, desktop),
                InstantSource.fixed(Instant.EPOCH), model, subject);
    }

    @Test
    void withoutASubjectThereIsAnExampleThatTheBuiltInModelDrawsWell() {
        subject.set(null);
        GenerateViewModel generate = galleries(new InlineJobs());
        String example = generate.prompt().get().text("");
        assertEquals("a 3d penguin in the snow", example);
        model.set(new ModelSummary(Path.of("/sd15"), "sd15", ModelSummary.Origin.EXTERNAL, 512, 1, List.of()));
        assertEquals("", generate.prompt().get().text(""), "another model has no example");
        generate.setPrompt(new SubjectPrompt("", SubjectPrompt.Mention.NONE, "my own words"));
        model.set(new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN, 128, 1000, List.of()));
        assertEquals("my own words", generate.prompt().get().text(""), "what is typed stays");
    }

    private Optional<List<ClipScores>> judge(RowEvaluator.EvaluationRequest question, Cancellation cancellation)
            throws Failure {
        questions.add(question);
        if (judgeFailure != null) throw judgeFailure;
        return encoder.map(name -> question.rows()
                .stream()
                .map(row -> new ClipScores(name, OptionalDouble.of(0.5), OptionalDouble.of(0.25),
                        OptionalDouble.of(0.125)))
                .toList());
    }

    static RunSummary run(MethodName method, String token) {
        RunSpec order = new RunSpec("car", Path.of("/model"), Path.of("/pictures"),
                new RunSpec.SubjectPhrase("car", token), RunSpec.TrainingChoices.of(method),
                Path.of("/runs/car-" + method.option()));
        return new RunSummary(order, Instant.EPOCH, RunProgress.initial(RunProgress.RunPhase.DONE),
                RunFolder.Status.FINISHED,
                Optional.of(new TrainingReport(2268, new TrainingReport.AdapterFileInfo(9600, Optional.empty()), 5, 20,
                        OptionalDouble.of(0.1), 0.0004, 1, OptionalInt.empty())));
    }

    @Test
    void sizeAndGuidanceAreTheModels() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        assertEquals("128 × 128", galleries.settings().get().size().toString());
        assertEquals(4, galleries.settings().get().sampling().guidance().scale());
        model.set(new ModelSummary(Path.of("/sd"), "SD", ModelSummary.Origin.EXTERNAL, 512, 1, List.of()));
        assertEquals("512 × 512", galleries.settings().get().size().toString());
        assertEquals(7.5, galleries.settings().get().sampling().guidance().scale());
    }

    @Test
    void baseGetsTheClassWordAndARunItsOwnPhrase() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.showRuns(List.of(run(MethodName.ATOMS, "zwx")));
        galleries.setPrompt(new SubjectPrompt("a 3d", SubjectPrompt.Mention.SUBJECT, "on the beach"));
        galleries.generate();
        assertEquals(List.of("a 3d car on the beach", "a 3d zwx car on the beach"),
                maker.orders.stream().map(RowGenerator.RowRequest::prompt).toList());
    }

    @Test
    void everyRowSaysWhatItWears() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        GalleryRow base = galleries.rows().getFirst();
        assertEquals("nothing tuned", base.adapterLine().get());
        galleries
                .settings(galleries.settings()
                        .get()
                        .withAdapters(List.of(
                                new ImageSettings.SelectedAdapter(Path.of("/runs/owl-lora/adapter.safetensors"), 0.8),
                                new ImageSettings.SelectedAdapter(Path.of("/styles/ink.safetensors"), 1))));
        galleries.showRuns(List.of(run(MethodName.ATOMS, "zwx")));
        assertEquals("wears owl-lora × 0.8, ink × 1.0", base.adapterLine().get());
        assertEquals("also wears owl-lora × 0.8, ink × 1.0", galleries.rows().getLast().adapterLine().get());
        galleries.source().removeAdapter(Path.of("/styles/ink.safetensors"));
        assertEquals("wears owl-lora × 0.8", base.adapterLine().get());
        galleries.settings(galleries.settings().get().withAdapters(List.of()));
        assertEquals("nothing tuned", base.adapterLine().get());
        assertEquals("", galleries.rows().getLast().adapterLine().get());
    }

    @Test
    void withoutTheSubjectThePromptIsTheWordsAlone() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.setPrompt(new SubjectPrompt("a", SubjectPrompt.Mention.NONE, "red apple"));
        galleries.generate();
        assertEquals("a red apple", maker.orders.getFirst().prompt());
    }

    @Test
    void everyRowHasTheSameSeeds() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.showRuns(List.of(run(MethodName.ATOMS, "sks"), run(MethodName.LORA, "sks")));
        galleries.randomizeSeeds(new Random(5));
        galleries.generate();
        assertEquals(3, maker.orders.size());
        assertEquals(1, maker.orders.stream().map(order -> order.settings().seeds()).distinct().count());
        for (GalleryRow row : galleries.rows())
            assertEquals(galleries.settings().get().seeds().list(),
                    row.cells().stream().map(GalleryRow.GalleryCell::seed).toList());
        assertEquals("12 pictures in 0:00 · same seeds and noise in every row", galleries.report().get());
    }

    @Test
    void whatIsThereIsNotMadeAgain() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.generate();
        galleries.showRuns(List.of(run(MethodName.ATOMS, "sks")));
        galleries.generate();
        assertEquals(2, maker.orders.size());
        galleries.generate();
        assertEquals(2, maker.orders.size());
        assertTrue(galleries.report().get().startsWith("These pictures are here already."), galleries.report().get());
    }

    @Test
    void anotherStrengthLeavesBaseAsItIs() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.showRuns(List.of(run(MethodName.ATOMS, "sks")));
        galleries.generate();
        galleries.settings(galleries.settings().get().withAdapterWeight(0.5));
        assertFalse(galleries.rows().get(0).stale().get());
        assertTrue(galleries.rows().get(1).stale().get());
        galleries.generate();
        assertEquals(3, maker.orders.size());
        assertEquals(0.5, maker.orders.getLast().settings().adapterWeight());
        assertFalse(galleries.rows().get(1).stale().get());
    }

    @Test
    void picturesOfAnotherPromptAreMarkedUntilTheyAreMadeAgain() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.generate();
        galleries.setPrompt(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on a table"));
        assertTrue(galleries.rows().getFirst().stale().get());
        galleries.setPrompt(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"));
        assertFalse(galleries.rows().getFirst().stale().get());
    }

    @Test
    void countsItsSteps() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        maker.onStep = step -> {
            if (step == 31) assertEquals("Base · step 30 of 100", galleries.busy().get());
        };
        galleries.generate();
        assertEquals("", galleries.busy().get());
    }

    @Test
    void cancellingKeepsWhatIsFinished() {
        // The job asks the test at every step, as a person would click meanwhile.
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel galleries = galleries(jobs);
        maker.onStep = step -> {
            if (step == 26) galleries.cancel();
        };
        galleries.generate();
        jobs.runAll();
        assertEquals("Cancelled. What was finished stays.", galleries.report().get());
        assertNotNull(galleries.rows().getFirst().cells().get(0).image());
        assertNull(galleries.rows().getFirst().cells().get(1).image());
        assertEquals("", galleries.busy().get());
        assertEquals("", galleries.rows().getFirst().busy().get());
    }

    @Test
    void aFailureStandsInTheCardAndThePicturesStay() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        maker.failure = new Failure.Incompatible(
                "100x100: sides must be multiples of 8; the nearest valid size is 104x104");
        galleries.generate();
        assertEquals(maker.failure.getMessage(), galleries.problem().get());
        assertNotNull(galleries.rows().getFirst().cells().get(0).image());
        maker.failure = null;
        galleries.generate();
        assertEquals("", galleries.problem().get());
    }

    @Test
    void aSecondClickWhileItIsBusyDoesNothing() {
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel galleries = galleries(jobs);
        galleries.generate();
        galleries.generate();
        assertEquals(1, jobs.pendingCount());
    }

    @Test
    void withoutAModelItSaysWhatToDo() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        model.set(null);
        galleries.generate();
        assertTrue(galleries.problem().get().contains("Models"), galleries.problem().get());
    }

    @Test
    void fewerSeedsLeaveFewerColumns() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.generate();
        galleries.settings(galleries.settings().get().withSeeds(new ImageSettings.Seeds(7, 2)));
        galleries.generate();
        assertEquals(List.of(7L, 8L),
                galleries.rows().getFirst().cells().stream().map(GalleryRow.GalleryCell::seed).toList());
    }

    @Test
    void everyRowIsMeasuredOnceItsPicturesAreThereWithTheClassInTheSubjectsPlace() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.showRuns(List.of(run(MethodName.ATOMS, "sks")));
        galleries.generate();
        assertEquals(1, questions.size());
        assertEquals("a car in the snow", questions.getFirst().prompt());
        assertEquals(List.of(4, 4), questions.getFirst().rows().stream().map(List::size).toList());
        for (GalleryRow row : galleries.rows()) assertEquals("image_encoder of Small", row.metrics().get().encoder());
        assertEquals("Likeness, diversity and alignment by image_encoder of Small.", galleries.metrics().note().get());
    }

    @Test
    void onlyNewPicturesAreMeasuredAgain() {
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.generate();
        galleries.showRuns(List.of(run(MethodName.ATOMS, "sks")));
        galleries.generate();
        assertEquals(List.of(1, 1), questions.stream().map(question -> question.rows().size()).toList());
    }

    @Test
    void aModelWithoutAnEncoderShowsNoNumbersAndSaysSoOnce() {
        encoder = Optional.empty();
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.generate();
        assertNull(galleries.rows().getFirst().metrics().get());
        assertEquals("This model brings no image encoder, so likeness, diversity and alignment are not measured.",
                galleries.metrics().note().get());
        assertEquals("", galleries.rows().getFirst().warning().get());
    }

    @Test
    void aDamagedEncoderLeavesThePictures() {
        judgeFailure = new Failure.Unreadable("image_encoder: a layer is missing");
        GenerateViewModel galleries = galleries(new InlineJobs());
        galleries.generate();
        assertEquals("No likeness, diversity or alignment: image_encoder: a layer is missing",
                galleries.metrics().note().get());
        assertEquals("", galleries.problem().get());
        assertEquals(4, galleries.rows().getFirst().cells().size());
    }

    @Test
    void whileItIsMeasuredTheRowSaysSoAndOtherPicturesEndIt() {
        ManualJobs jobs = new ManualJobs();
        GenerateViewModel galleries = galleries(jobs);
        galleries.generate();
        jobs.runNext();
        assertEquals("measuring…", galleries.rows().getFirst().metricsStatus().get());
        assertEquals("", galleries.busy().get());
        galleries.setPrompt(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on the beach"));
        galleries.generate();
        assertEquals("", galleries.rows().getFirst().metricsStatus().get());
        jobs.runNext();
        assertNull(galleries.rows().getFirst().metrics().get());
        jobs.runAll();
        assertNotNull(galleries.rows().getFirst().metrics().get());
        assertEquals("a car on the beach", questions.getLast().prompt());
    }

    @Test
    void withoutASubjectNothingIsMeasured() {
        subject.set(null);
        galleries(new InlineJobs()).generate();
        assertEquals(List.of(), questions);
    }
}
