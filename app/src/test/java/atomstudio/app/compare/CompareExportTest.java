package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CompareExportViewModel.SheetFormat;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ExistingRuns;
import atomstudio.app.compare.ComparisonRequest.ImageOptions;
import atomstudio.app.compare.XyGridViewModel.AxisInput;
import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.generate.AdapterLibrary;
import atomstudio.app.generate.EngineRowGenerator;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.GenerationRate;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.JobQueue;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.process.RunSpec;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunSummary;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Exports of the window, with images of the embedded model in two steps.
class CompareExportTest {
    private static final Path MODEL = Shared.root().resolve("assets/default-model");

    private final Jobs jobs = new InlineJobs();
    private final FakeDesktop desktop = new FakeDesktop();

    @TempDir
    private Path home;

    private CompareViewModel comparison;

    @BeforeEach
    void createRoom() throws Failure {
        BaseModelHashes hashes = new BaseModelHashes(home.resolve("hashes.json"));
        Path folder = new FakeRun(MODEL, hashes, "atoms").write(home.resolve("runs/car-atoms"));
        RunSpec spec = new RunSpec("car", MODEL, Path.of("/photos"), new RunSpec.SubjectPhrase("car", "sks"),
                RunSpec.TrainingChoices.of(MethodName.ATOMS), folder);
        RunSummary run = new RunSummary(spec, Instant.EPOCH, RunProgress.initial(RunProgress.RunPhase.DONE),
                RunFolder.Status.FINISHED, new RunFolder(folder).trainingReport());
        GalleryViewModel gallery = new GalleryViewModel(jobs,
                new ImageStore(home.resolve("images"), InstantSource.fixed(Instant.EPOCH)),
                (title, files, onChanged) -> {});
        EngineRowGenerator generator = new EngineRowGenerator(hashes, new TokenizerFolders(new Home(home)),
                () -> desktop.get().generation(), new DeviceSelection(new Home(home)));
        GenerateViewModel.GenerationServices services = new GenerateViewModel.GenerationServices(generator, desktop,
                gallery, new JobQueue(jobs), () -> desktop.get().generation(), new NoticesViewModel(),
                new AdapterLibrary(jobs, List::of), new GenerationRate());
        Subject subject = new Subject("car", home, "car", "sks", List.of());
        SimpleObjectProperty<@Nullable ModelSummary> model = new SimpleObjectProperty<>(new ModelSummary(MODEL,
                DiffusionModel.open(MODEL).name(), ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(64), 1,
                List.of()));
        GenerateViewModel panel = new GenerateViewModel(jobs, services, InstantSource.system(), model,
                new SimpleObjectProperty<>(subject));
        panel.prompt().set(new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "{in the snow | at night}"));
        panel.updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(0, 2))
                .withSize(new ImageSettings.OutputSize(64, 64))
                .withSampling(new ImageSettings.SamplerSettings(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2,
                        OptionalDouble.empty(), Guidance.of(4), 1)));
        comparison = new CompareViewModel(
                new CompareViewModel.CompareServices(jobs, services, InstantSource.system(), desktop), panel,
                model, new SimpleObjectProperty<>(subject));
        comparison.showRuns(List.of(run));
        comparison.generate();
        assertEquals("", comparison.batches().problem().get());
    }

    private ComparisonJob.ComparisonResult command() throws Failure {
        RunSummary run = comparison.rowChoice().runs().getFirst();
        GenerationSettings settings = GenerationSettings
                .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64);
        ComparisonRequest request = new ComparisonRequest(ModelReference.of(MODEL), new ComparedSubject("car", "sks"),
                new ExistingRuns(List.of(run.folder())), List.of("a {} in the snow", "a {} at night"), List.of(0L, 1L),
                new ImageOptions("", settings), home.resolve("command"));
        return new ComparisonJob(request, TrainingEnvironment.cpu(home),
                new BaseModelHashes(home.resolve("hashes.json")), new ComparisonJob.ComparisonListener() {
                    @Override
                    public void onTrainingEvent(String name, TrainingEvent event) {}

                    @Override
                    public void onSamplingProgress(int done, int total) {}

                    @Override
                    public void onNote(String line) {}
                }, () -> false).run().orElseThrow();
    }

    private Path export(SheetFormat format) {
        desktop.saveTarget = home.resolve("car." + format);
        desktop.folder = home;
        comparison.export().export(format);
        assertTrue(comparison.export().note().get().file().isPresent(), comparison.export().note().get().text());
        return comparison.export().note().get().file().orElseThrow();
    }

    @Test
    void sheetPageAndTableAreThoseOfTheCommand() throws Failure, IOException {
        ComparisonJob.ComparisonResult expected = command();
        assertArrayEquals(ImageFiles.read(expected.sheet()).argb(), ImageFiles.read(export(SheetFormat.PNG)).argb());
        Path page = export(SheetFormat.HTML);
        assertEquals(Files.readString(expected.page()), Files.readString(page));
        assertArrayEquals(ImageFiles.read(expected.sheet()).argb(),
                ImageFiles.read(page.resolveSibling("sheet.png")).argb());
        assertEquals(expected.comparison(), Comparison.read(page.getParent()));
        String table = Files.readString(export(SheetFormat.CSV));
        assertEquals(Files.readString(expected.sheet().resolveSibling("scores.csv")), table);
        assertEquals(3, table.lines().count());
        assertEquals(Files.readString(page.resolveSibling("scores.csv")), table);
        for (String image : List.of("pictures/base/0-0.png", "pictures/atoms/1-1.png"))
            assertEquals(ImageFiles.read(expected.sheet().resolveSibling(image)),
                    ImageFiles.read(page.resolveSibling(image)));
    }

    @Test
    void rowsOfAnotherStrengthAreNamed() throws Failure {
        comparison.rowChoice().add(new CompareRow(new OfRun(comparison.rowChoice().runs().getFirst()), 0.5));
        desktop.folder = home;
        comparison.export().export(SheetFormat.HTML);
        assertTrue(comparison.export().note().get().text().startsWith("Generate the missing images first"));
        comparison.generate();
        Comparison written = Comparison.read(export(SheetFormat.HTML).getParent());
        assertEquals(List.of("base", "atoms", "atoms-2"),
                written.rows().stream().map(Comparison.ComparisonRow::name).toList());
        assertEquals("Filter atoms × 0.5", ComparisonText.rowTitle(written.rows().getLast()));
        assertTrue(written.rows().getLast().metrics().isPresent());
    }

    @Test
    void gridsHaveTheirValuesAsCaptions() throws Failure, IOException {
        comparison.gridChoice()
                .show(comparison.rows().getLast(), new AxisInput(GridAxis.STRENGTH, "0.5, 1", List.of()),
                        new AxisInput(GridAxis.STEPS, "1, 2", List.of()));
        comparison.generate();
        Path page = export(SheetFormat.HTML);
        Comparison written = Comparison.read(page.getParent());
        assertEquals(List.of("strength 0.5", "strength 1.0"), written.captions());
        assertEquals(List.of("1 step", "2 steps"),
                written.rows().stream().map(ComparisonText::rowTitle).toList());
        assertTrue(Files.readString(page).contains("<h2>strength 0.5</h2>"));
        assertTrue(Files.readString(page).contains("The images were prompted with “sks car”."));
        assertTrue(ImageFiles.read(page.resolveSibling("sheet.png")).width() > 1000);
        assertEquals(Optional.empty(), written.rows().getFirst().metrics());
        assertEquals(2, Objects.requireNonNull(comparison.cells().get()).rows().size());
    }
}
