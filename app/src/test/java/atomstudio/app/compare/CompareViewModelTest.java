package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CompareCells.CellState;
import atomstudio.app.compare.CompareCells.CompareCell;
import atomstudio.app.compare.CompareTable.ColumnChoice;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.CompareTable.XyGrid;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.compare.XyGridViewModel.AxisInput;
import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.generate.AdapterLibrary;
import atomstudio.app.generate.FakeRowGenerator;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.GenerationRate;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.RowGenerator.PromptImages;
import atomstudio.app.generate.RowGenerator.RowRequest;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunLock;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareViewModelTest {
    private static final ModelSummary SMALL = new ModelSummary(Path.of("/model"), "Small",
            ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128), 1000, List.of());
    private static final RunSummary LORA = run(MethodName.LORA, "car-lora");
    private static final RunSummary ATOMS = run(MethodName.ATOMS, "car-atoms");

    private final FakeDesktop desktop = new FakeDesktop();
    private final FakeRowGenerator generator = new FakeRowGenerator();
    private final SimpleObjectProperty<@Nullable ModelSummary> model = new SimpleObjectProperty<>(SMALL);
    private final SimpleObjectProperty<Subject> subject = new SimpleObjectProperty<>();

    @TempDir
    private Path home;

    @BeforeEach
    void subject() throws Exception {
        subject.set(new Subject("car", Files.createDirectories(home.resolve("car")), "car", "sks",
                List.of(Path.of("/car/0.png"))));
    }

    private static RunSummary run(MethodName method, String folder) {
        RunSpec spec = new RunSpec("car", Path.of("/model"), Path.of("/photos"),
                new RunSpec.SubjectPhrase("car", "sks"), RunSpec.TrainingChoices.of(method), Path.of("/runs", folder));
        return new RunSummary(spec, Instant.EPOCH, RunProgress.initial(RunProgress.RunPhase.DONE),
                RunFolder.Status.FINISHED,
                Optional.of(new TrainingReport(2268, new TrainingReport.AdapterFileInfo(9600, Optional.empty()), 5, 20,
                        OptionalDouble.of(0.1), 0.0004, 1, OptionalInt.empty())));
    }

    /// Two seeds of two prompts, with the base model and the runs.
    private CompareViewModel comparison(Jobs jobs, RunSummary... runs) {
        CompareViewModel comparison = opened(jobs, runs);
        comparison.panel()
                .prompt()
                .set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "{in the snow | at night}"));
        comparison.panel().updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(5, 2)));
        return comparison;
    }

    private CompareViewModel opened(Jobs jobs, RunSummary... runs) {
        GalleryViewModel gallery = new GalleryViewModel(jobs,
                new ImageStore(home.resolve("images"), InstantSource.fixed(Instant.EPOCH)),
                (title, files, onChanged) -> files.forEach(file -> assertTrue(file.toFile().delete())));
        GenerateViewModel.GenerationServices services = new GenerateViewModel.GenerationServices(generator, desktop,
                gallery, new JobQueue(jobs), () -> desktop.get().generation(), new NoticesViewModel(),
                new AdapterLibrary(jobs, List::of), new GenerationRate());
        InstantSource clock = InstantSource.fixed(Instant.EPOCH);
        SimpleObjectProperty<@Nullable Subject> panelSubject = new SimpleObjectProperty<>(subject.get());
        GenerateViewModel panel = new GenerateViewModel(jobs, services, clock, model, panelSubject);
        CompareViewModel comparison = new CompareViewModel(
                new CompareViewModel.CompareServices(jobs, services, clock, desktop), panel, model, subject);
        comparison.showRuns(List.of(runs));
        return comparison;
    }

    private static CompareCells cells(CompareViewModel comparison) {
        return Objects.requireNonNull(comparison.cells().get());
    }

    private List<String> generated() {
        List<String> result = new ArrayList<>();
        for (RowRequest request : generator.requests)
            result.add(request.prompt() + request.adapter()
                    .map(file -> " " + file.getParent().getFileName() + " " + request.settings().adapterWeight())
                    .orElse(""));
        return result;
    }

    @Test
    void rowsAreAdaptersAndColumnsPromptsAndSeeds() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA, ATOMS);
        CompareTable table = cells(comparison).table();
        assertEquals(List.of("Base", ATOMS.title() + " × 1.0", LORA.title() + " × 1.0"),
                table.rows().stream().map(CompareTable.TableLine::title).toList());
        assertEquals(List.of("in the snow seed 5", "in the snow seed 6", "at night seed 5", "at night seed 6"),
                table.columns().stream().map(line -> line.title() + " " + line.detail()).toList());
        assertEquals(12, cells(comparison).missing());
        comparison.setColumns(ColumnChoice.PROMPTS);
        assertEquals(6, cells(comparison).missing());
        comparison.setColumns(ColumnChoice.SEEDS);
        assertEquals(List.of("seed 5", "seed 6"),
                cells(comparison).table().columns().stream().map(CompareTable.TableLine::detail).toList());
    }

    @Test
    void onlyWhatIsMissingIsGenerated() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        comparison.generate();
        assertEquals(List.of("a car in the snow", "a car at night", "a sks car in the snow car-lora 1.0",
                "a sks car at night car-lora 1.0"), generated());
        assertTrue(cells(comparison).isComplete());
        assertEquals("8 images in 0.0 s", comparison.batches().report().get());
        generator.requests.clear();
        comparison.rowChoice().setStrength(comparison.rows().getLast(), 0.5);
        assertEquals(4, cells(comparison).missing());
        comparison.generate();
        assertEquals(List.of("a sks car in the snow car-lora 0.5", "a sks car at night car-lora 0.5"), generated());
        generator.requests.clear();
        comparison.rowChoice().setStrength(comparison.rows().getLast(), 1);
        assertEquals(0, cells(comparison).missing(), "the images of strength 1 are found again");
        comparison.panel().updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(6, 2)));
        comparison.generate();
        assertEquals(List.of(7L, 7L, 7L, 7L), generator.generatedSeeds.subList(12, 16), "seed 6 exists");
    }

    @Test
    void choicesSurviveAKill() {
        CompareViewModel before = comparison(new InlineJobs(), LORA, ATOMS);
        before.rowChoice().setStrength(before.rows().get(2), 0.5);
        before.rowChoice().toggle(ATOMS);
        before.rowChoice().add(new CompareRow(new OfRun(LORA), 0.25));
        before.setColumns(ColumnChoice.SEEDS);
        before.side().set(300);
        before.panel().seedLocked().set(false);
        before.panel()
                .updateSettings(now -> now.withNegativePrompt("blur").withSampling(now.sampling().withSteps(7)));
        before.generate();
        assertEquals(3, before.metrics().figure().get().rows().size());

        // Nothing was closed: the next window reads what is on disk. Its runs are read later than its file.
        CompareViewModel after = opened(new InlineJobs());
        after.showRuns(List.of(ATOMS, LORA));
        after.gallery().load();
        assertEquals(List.of("Base", LORA.title() + " × 0.5", LORA.title() + " × 0.25"),
                after.rows().stream().map(CompareRow::title).toList(), "the removed row stays removed");
        assertEquals(ColumnChoice.SEEDS, after.columns().get());
        assertEquals(300, after.side().get());
        assertEquals(before.panel().prompt().get(), after.panel().prompt().get());
        assertEquals(before.panel().settings().get(), after.panel().settings().get());
        assertFalse(after.panel().seedLocked().get());
        assertEquals(before.metrics().figure().get(), after.metrics().figure().get(), "nothing is measured again");
        assertEquals(0, cells(after).missing());

        model.set(new ModelSummary(Path.of("/other"), "Other", ModelSummary.Origin.BUILT_IN,
                ModelDefaults.ofSize(512), 1000, List.of()));
        CompareViewModel other = opened(new InlineJobs(), ATOMS, LORA);
        assertEquals(before.panel().prompt().get(), other.panel().prompt().get());
        assertEquals(512, other.panel().settings().get().size().width(), "another model has its own size");
        assertEquals(1, other.rows().size());
    }

    @Test
    void damagedChoicesAreIgnored() throws Exception {
        comparison(new InlineJobs(), LORA).side().set(300);
        Path file = home.resolve("car/compare.json");
        assertTrue(Files.readString(file).contains("car-lora"));
        Files.writeString(file, Files.readString(file).replace("\"columns\":\"PROMPTS_AND_SEEDS\"", "\"columns\":3"));
        assertEquals(CompareViewModel.MIN_SIDE, opened(new InlineJobs(), LORA).side().get());
    }

    @Test
    void imagesOfAnEarlierRoomAreFound() {
        comparison(new InlineJobs(), LORA).generate();
        CompareViewModel later = comparison(new InlineJobs(), LORA);
        later.gallery().load();
        assertEquals(0, cells(later).missing());
    }

    @Test
    void cancelKeepsWhatIsDone() {
        ManualJobs jobs = new ManualJobs();
        CompareViewModel comparison = comparison(jobs, LORA);
        jobs.runAll();
        int steps = comparison.panel().settings().get().sampling().steps();
        generator.onStep = step -> {
            if (generator.requests.size() == 2 && step > steps) comparison.cancel();
        };
        comparison.generate();
        jobs.runAll();
        assertEquals(5, cells(comparison).missing());
        assertEquals("Cancelled – 3 of 8 images done", comparison.batches().report().get());
        assertEquals("", comparison.batches().busy().get());
    }

    @Test
    void imagesInTheQueueAreNotSubmittedAgain() {
        ManualJobs jobs = new ManualJobs();
        CompareViewModel comparison = comparison(jobs, LORA);
        jobs.runAll();
        comparison.generate();
        jobs.runNext();
        assertEquals(0, cells(comparison).missing());
        assertEquals(CellState.QUEUED, cells(comparison).rows().getFirst().getFirst().state());
        comparison.cancel();
        jobs.runAll();
        assertEquals(8, cells(comparison).missing());
    }

    @Test
    void aFailureNamesItsReasonAndKeepsWhatIsDone() {
        generator.failure = new Failure.Unreadable("adapter.safetensors: damaged");
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        comparison.generate();
        assertEquals("adapter.safetensors: damaged", comparison.batches().problem().get());
        assertEquals(7, cells(comparison).missing());
    }

    @Test
    void imagesCarryRunAndTheOrderOfTheBaseModelsImage() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        comparison.generate();
        List<List<CompareCell>> rows = cells(comparison).rows();
        for (int column = 0; column < 4; column++) {
            assertEquals("car-lora", Objects.requireNonNull(rows.get(1).get(column).image()).tags().run());
            assertEquals(rows.get(0).get(column).key(),
                    Objects.requireNonNull(rows.get(1).get(column).image()).tags().baseOrder());
        }
    }

    @Test
    void completeRowsAreMeasuredByPrompt() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        comparison.generate();
        List<List<PromptImages>> measured = generator.evaluations.getFirst().rows();
        assertEquals(2, measured.size());
        assertEquals(List.of("a car in the snow", "a car at night"),
                measured.getLast().stream().map(PromptImages::prompt).toList());
        assertEquals(List.of(2, 2), measured.getLast().stream().map(one -> one.images().size()).toList());
        CompareFigure figure = comparison.metrics().figure().get();
        assertEquals(2, figure.rows().size());
        assertEquals(4, figure.images());
        assertEquals(0.5, comparison.metrics().scores().get().getFirst().orElseThrow().likeness().orElseThrow());
        assertEquals("No clear difference between " + LORA.title()
                + " × 1.0 and Base in likeness, alignment and diversity.", figure.sentence());
        assertTrue(comparison.metrics().note().get().startsWith("Measured with image_encoder of Small. High likeness"));
        comparison.rowChoice().setStrength(comparison.rows().getLast(), 0.5);
        assertEquals(1, comparison.metrics().figure().get().rows().size());
        comparison.rowChoice().setStrength(comparison.rows().getLast(), 1);
        assertEquals(2, comparison.metrics().figure().get().rows().size(), "the values are kept with their images");
        assertEquals(1, generator.evaluations.size());
    }

    @Test
    void aRunsValuesAreThoseOfItsRowAtStrength1() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        CompareMetrics metrics = comparison.metrics();
        assertEquals(Optional.empty(), metrics.ofRun(LORA.folder()), "not measured yet");
        comparison.generate();
        assertEquals(0.5, metrics.ofRun(LORA.folder()).orElseThrow().likeness().orElseThrow());
        comparison.rowChoice().add(new CompareRow(new OfRun(ATOMS), 1));
        assertTrue(metrics.ofRun(LORA.folder()).isPresent());
        assertEquals(Optional.empty(), metrics.ofRun(ATOMS.folder()), "its row is not measured");
        comparison.rowChoice().setStrength(comparison.rows().get(1), 0.5);
        comparison.generate();
        assertEquals(Optional.empty(), metrics.ofRun(LORA.folder()), "measured at another strength");
        assertTrue(metrics.ofRun(ATOMS.folder()).isPresent());
        comparison.rowChoice().setStrength(comparison.rows().get(1), 1);
        assertTrue(metrics.ofRun(LORA.folder()).isPresent());
        comparison.rowChoice().toggle(LORA);
        assertEquals(Optional.empty(), metrics.ofRun(LORA.folder()), "no row");
    }

    @Test
    void existingImagesAreMeasuredOnRequest() throws Exception {
        comparison(new InlineJobs(), LORA).generate();
        Files.delete(home.resolve("car/compare.json"));
        CompareViewModel later = comparison(new InlineJobs(), LORA);
        later.gallery().load();
        assertEquals(2, later.metrics().unmeasured().get());
        assertEquals(1, generator.evaluations.size());
        later.generate();
        assertEquals(2, generator.evaluations.size());
        assertEquals(0, later.metrics().unmeasured().get());
    }

    @Test
    void newImagesCancelAMeasurement() {
        ManualJobs jobs = new ManualJobs();
        CompareViewModel comparison = comparison(jobs, LORA);
        jobs.runAll();
        SubjectPrompt before = comparison.panel().prompt().get();
        comparison.generate();
        jobs.runNext();
        jobs.runNext();
        assertEquals("Measuring…", comparison.metrics().status().get());
        comparison.panel().prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "on the beach"));
        comparison.generate();
        jobs.runLast();
        jobs.runAll();
        assertEquals("", comparison.metrics().status().get());
        assertEquals(0, comparison.metrics().unmeasured().get());
        comparison.panel().prompt().set(before);
        assertEquals(2, comparison.metrics().unmeasured().get(), "the earlier images were not measured");
    }

    @Test
    void aModelWithoutImageEncoderHasNoMetrics() {
        generator.encoder = Optional.empty();
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        comparison.generate();
        assertTrue(comparison.metrics().note().get().startsWith("This model has no image encoder"));
        generator.evaluationFailure = new Failure.Unreadable("encoder: damaged");
        comparison.generate();
        assertTrue(comparison.metrics().note().get().endsWith("encoder: damaged"));
        assertEquals(List.of(), comparison.metrics().figure().get().rows());
    }

    @Test
    void gridsAreOrdersOfTwoAxes() throws Failure {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA, ATOMS);
        comparison.generate();
        generator.requests.clear();
        CompareRow lora = comparison.rows().getLast();
        comparison.showGrid(new XyGrid(lora, GridAxis.STRENGTH, GridAxis.STRENGTH.parse("0.5, 1"), GridAxis.STEPS,
                GridAxis.STEPS.parse("10, " + comparison.panel().settings().get().sampling().steps())));
        assertEquals(3, cells(comparison).missing(), "strength 1 at the steps of the settings exists");
        comparison.generate();
        assertEquals(List.of(5L, 5L, 5L), generator.generatedSeeds.subList(12, 15));
        assertTrue(cells(comparison).isComplete());
        assertEquals(List.of(), comparison.metrics().figure().get().rows(), "a grid is not measured");
        List<CellOrder.CellChange> methods = new ArrayList<>();
        comparison.gridChoice().findValues(GridAxis.METHOD, lora, methods::addAll);
        comparison.gridChoice()
                .show(lora, new AxisInput(GridAxis.METHOD, "", methods),
                        new AxisInput(GridAxis.GUIDANCE, "2, 4", List.of()));
        assertEquals(List.of(LORA.title(), ATOMS.title()),
                cells(comparison).table().columns().stream().map(CompareTable.TableLine::title).toList());
        comparison.showGrid(null);
        assertEquals(0, cells(comparison).missing());
    }

    @Test
    void axesThatAreNoGridAreRefusedWithTheReason() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        CompareRow row = comparison.rows().getLast();
        XyGridViewModel choice = comparison.gridChoice();
        AxisInput steps = new AxisInput(GridAxis.STEPS, "10, 20", List.of());
        choice.show(row, steps, steps);
        assertTrue(choice.problem().get().startsWith("Steps and Steps cannot be combined"));
        choice.show(row, steps, new AxisInput(GridAxis.METHOD, "", List.of()));
        assertEquals("Method: choose at least one value.", choice.problem().get());
        choice.show(row, steps, new AxisInput(GridAxis.STRENGTH, "1, many", List.of()));
        assertTrue(choice.problem().get().contains("found “many”"));
        assertNull(comparison.grid().get());
        choice.show(row, steps, new AxisInput(GridAxis.STRENGTH, "1", List.of()));
        assertEquals("", choice.problem().get());
        assertEquals(LORA.title() + " × 1.0: Steps × Strength",
                Objects.requireNonNull(comparison.grid().get()).title());
    }

    @Test
    void newestRunOfEveryMethodIsShownUntilThePersonChooses() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        RunSummary newer = run(MethodName.LORA, "car-lora-2");
        comparison.showRuns(List.of(newer, LORA));
        assertFalse(comparison.rowChoice().isCompared(LORA.folder()));
        assertTrue(comparison.rowChoice().isCompared(newer.folder()));
        comparison.rowChoice().add(new CompareRow(new OfRun(LORA), 0.5));
        comparison.rowChoice().remove(comparison.rows().get(1));
        assertEquals(List.of("Base", LORA.title() + " × 0.5"),
                comparison.rows().stream().map(CompareRow::title).toList());
        comparison.showRuns(List.of(run(MethodName.LORA, "car-lora-3"), newer, LORA));
        assertEquals(2, comparison.rows().size(), "the person's row stays the only one of its method");
        comparison.showRuns(List.of(newer));
        assertEquals(List.of(CompareRow.BASE), comparison.rows(), "a deleted run has no row");
        comparison.rowChoice().remove(CompareRow.BASE);
        assertEquals(1, comparison.rows().size());
    }

    /// A run that trains now, with a checkpoint.
    private RunSpec training(int step) throws Exception {
        RunSpec run = new RunSpec("car", Path.of("/model"), Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(MethodName.ATOMS), Files.createDirectories(home.resolve("runs/car-atoms")));
        Layer layer = new Layer(Component.UNET, "conv", Layer.Kind.CONV, Shape.of(4, 4, 3, 3), Layer.Bias.ABSENT);
        MethodSettings settings = MethodSettings.parse("atoms", Map.of());
        Map<String, Tensor> values = new HashMap<>();
        settings.method()
                .storedShapes(layer)
                .forEach((name, shape) -> values.put("conv." + name, Tensor.zeros(shape)));
        new AdapterFile(settings, new BaseModel("Small", "aa11"), new Trigger("sks", "car"),
                new AdapterFile.TrainingSummary(step, 0.01, 0), AdaptedLayer.of(settings.method(), List.of(layer)),
                values).write(new RunFolder(run.folder()).checkpoint());
        return run;
    }

    @Test
    void runThatIsTrainingIsARowAtItsNewestCheckpoint() throws Exception {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        CompareRows rows = comparison.rowChoice();
        rows.offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(training(10), 10)));
        rows.addTraining();
        String title = MethodName.ATOMS.displayName();
        assertEquals(title + " · step 10 × 1.0", comparison.rows().getLast().title());
        comparison.generate();
        assertEquals("a sks car at night compared 1.0", generated().getLast());
        assertEquals(0, cells(comparison).missing());
        rows.setStrength(comparison.rows().getLast(), 0.5);

        RunSpec run = training(20);
        assertEquals(title + " · step 10 × 0.5", comparison.rows().getLast().title(), "until the person refreshes it");
        rows.offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(run, 20)));
        rows.addTraining();
        assertEquals(3, comparison.rows().size(), "in the place of the older one");
        assertEquals(title + " · step 20 × 0.5", comparison.rows().getLast().title());
        assertEquals(4, cells(comparison).missing(), "another adapter");

        RunSummary done = new RunSummary(run, Instant.EPOCH, RunProgress.initial(RunProgress.RunPhase.DONE),
                RunFolder.Status.FINISHED, ATOMS.report());
        rows.offerTraining(Optional.empty());
        comparison.showRuns(List.of(done, LORA));
        assertEquals(List.of("Base", LORA.title() + " × 1.0", done.title() + " × 0.5"),
                comparison.rows().stream().map(CompareRow::title).toList(), "the result takes its place");
    }

    @Test
    void copiesOfAnEndedRunAreDeletedOnceNoRowNeedsThem() throws Exception {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        CompareRows rows = comparison.rowChoice();
        RunSpec run = training(10);
        rows.offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(run, 10)));
        rows.addTraining();
        rows.offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(training(20), 20)));
        rows.addTraining();
        Path folder = run.folder().resolve("compared"), older = folder.resolve("step-000010.safetensors"),
                newer = folder.resolve("step-000020.safetensors");
        assertTrue(Files.exists(older) && Files.exists(newer), "while the run is training");

        RunSummary stopped = new RunSummary(run, Instant.EPOCH, RunProgress.initial(RunProgress.RunPhase.CANCELLED),
                RunFolder.Status.UNFINISHED, Optional.empty());
        try (RunLock ignored = RunLock.acquire(run.folder())) {
            comparison.deleteCopies(List.of(stopped));
            assertTrue(Files.exists(older), "it trains in another process");
        }
        comparison.deleteCopies(List.of(stopped));
        assertFalse(Files.exists(older), "no row has it");
        assertTrue(Files.exists(newer), "a row has it");
        comparison.generate();
        assertEquals(0, cells(comparison).missing());
        rows.remove(comparison.rows().getLast());
        assertFalse(Files.exists(folder));
        assertTrue(Files.exists(new RunFolder(run.folder()).checkpoint()));
    }

    @Test
    void copyStaysWhileImagesWithItAreInTheQueue() throws Exception {
        ManualJobs jobs = new ManualJobs();
        CompareViewModel comparison = comparison(jobs, LORA);
        jobs.runAll();
        CompareRows rows = comparison.rowChoice();
        RunSpec run = training(10);
        rows.offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(run, 10)));
        rows.addTraining();
        jobs.runAll();
        comparison.generate();
        while (comparison.batches().isIdle()) jobs.runNext();
        comparison.deleteCopies(List.of(new RunSummary(run, Instant.EPOCH,
                RunProgress.initial(RunProgress.RunPhase.CANCELLED), RunFolder.Status.UNFINISHED, Optional.empty())));
        rows.remove(comparison.rows().getLast());
        assertTrue(Files.exists(run.folder().resolve("compared/step-000010.safetensors")));
        jobs.runAll();
        assertTrue(comparison.batches().isIdle());
        assertFalse(Files.exists(run.folder().resolve("compared")));
    }

    @Test
    void trainingOnAnotherModelIsNotOffered() throws Exception {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        RunSpec run = training(10);
        comparison.rowChoice().offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(run, 10)));
        assertTrue(comparison.rowChoice().training().get().isPresent());
        model.set(new ModelSummary(Path.of("/other"), "Other", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(128),
                1, List.of()));
        comparison.showRuns(List.of());
        comparison.rowChoice().offerTraining(Optional.of(new CompareRows.TrainingCheckpoint(run, 10)));
        assertEquals(Optional.empty(), comparison.rowChoice().training().get());
    }

    @Test
    void anotherModelHasOtherRuns() {
        CompareViewModel comparison = comparison(new InlineJobs(), LORA);
        model.set(new ModelSummary(Path.of("/other"), "Other", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(128),
                1, List.of()));
        comparison.showRuns(List.of(LORA));
        assertEquals(List.of(CompareRow.BASE), comparison.rows());
        model.set(SMALL);
        comparison.showRuns(List.of(LORA));
        assertEquals(2, comparison.rows().size());
    }

    @Test
    void withoutAModelNothingIsGenerated() {
        model.set(null);
        CompareViewModel comparison = comparison(new InlineJobs());
        comparison.generate();
        assertNull(comparison.cells().get());
        assertTrue(comparison.problem().get().startsWith("No model is open"));
    }
}
