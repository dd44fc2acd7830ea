package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.app.compare.ComparisonRequest.ExistingRuns;
import atomstudio.app.compare.ComparisonRequest.ImageOptions;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.ClipTestModels;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.run.TrainingEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Comparisons of fake runs with images of the embedded model in two steps.
class ComparisonJobTest {
    private static final Path MODEL = Shared.root().resolve("assets/default-model");
    private static final GenerationSettings QUICK = GenerationSettings
            .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 2), 4, 64, 64);

    @TempDir
    private Path folder;

    /// Records notes and progress, and cancels after a number of sampling steps.
    private static final class Listener implements ComparisonJob.ComparisonListener, Cancellation {
        final List<String> notes = new ArrayList<>();
        int sampled;
        int total;
        int stopAfter = Integer.MAX_VALUE;

        @Override
        public void onTrainingEvent(String name, TrainingEvent event) {
            throw new AssertionError("unexpected training");
        }

        @Override
        public void onSamplingProgress(int done, int total) {
            sampled = done;
            this.total = total;
        }

        @Override
        public void onNote(String line) {
            notes.add(line);
        }

        @Override
        public boolean isRequested() { return sampled >= stopAfter; }
    }

    private BaseModelHashes hashes() {
        return new BaseModelHashes(folder.resolve("hashes.json"));
    }

    private FakeRun run(String method) {
        return new FakeRun(MODEL, hashes(), method);
    }

    private ComparisonRequest request(List<Path> runs, String... prompts) throws Failure {
        return request(MODEL, runs, prompts);
    }

    private ComparisonRequest request(Path model, List<Path> runs, String... prompts) throws Failure {
        return new ComparisonRequest(ModelReference.of(model), new ComparedSubject("car", "sks"),
                new ExistingRuns(runs), List.of(prompts), List.of(0L, 1L), new ImageOptions("", QUICK),
                folder.resolve("out"));
    }

    private Optional<ComparisonJob.ComparisonResult> compare(ComparisonRequest request, Listener listener)
            throws Failure {
        return new ComparisonJob(request, TrainingEnvironment.cpu(folder), hashes(), listener, listener).run();
    }

    @Test
    void writesSheetPageDescriptionAndImages() throws Failure, IOException {
        Path atoms = run("atoms").write(folder.resolve("out/runs/atoms"));
        Path again = run("atoms").write(folder.resolve("elsewhere"));
        Path lora = run("lora").write(folder.resolve("lora run"));
        Listener listener = new Listener();
        ComparisonJob.ComparisonResult result = compare(
                request(List.of(atoms, again, lora), "a {} in the snow", "a {}"), listener).orElseThrow();
        Comparison written = Comparison.read(folder.resolve("out"));
        assertEquals(result.comparison(), written);
        assertEquals(List.of("base", "atoms", "atoms-2", "lora"),
                written.rows().stream().map(ComparisonRow::name).toList());
        assertEquals("runs/atoms", written.rows().get(1).run());
        assertEquals(again.toString(), written.rows().get(2).run());
        assertEquals(4 * 2 * 2 * 2, listener.total);
        assertEquals(listener.total, listener.sampled);
        for (ComparisonRow row : written.rows()) {
            for (int prompt = 0; prompt < 2; prompt++) {
                for (long seed = 0; seed < 2; seed++) {
                    Path file = folder.resolve("out").resolve(Comparison.imagePath(row, prompt, seed));
                    assertEquals(64, ImageFiles.read(file).width());
                    Infotext text = Infotext.parse(PngText.read(file).getOrDefault("parameters", ""));
                    assertEquals(written.prompt(row, prompt), text.prompt());
                    assertEquals(Long.toString(seed), text.settings().get("Seed"));
                }
            }
        }
        assertTrue(ImageFiles.read(result.sheet()).width() > 1000);
        assertTrue(Files.readString(result.page()).contains("pictures/atoms-2/1-0.png"));
        assertTrue(Files.exists(folder.resolve("out/subject/01.png")));
    }

    @Test
    void measuresEveryRowWithTheModelsImageEncoder() throws Failure {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Listener listener = new Listener();
        List<ComparisonRow> rows = compare(request(List.of(atoms), "a {}"), listener).orElseThrow().comparison().rows();
        for (ComparisonRow row : rows) {
            ClipScores measures = row.metrics().orElseThrow();
            assertTrue(measures.encoder().startsWith("image_encoder of "), measures.encoder());
            for (OptionalDouble measure : List.of(measures.likeness(), measures.diversity(), measures.alignment()))
                assertTrue(Math.abs(measure.orElseThrow()) <= 1);
        }
        assertNotEquals(rows.get(0).metrics(), rows.get(1).metrics());
    }

    @Test
    void modelWithoutImageEncoderHasNoMetrics() throws Exception {
        Path model = copy(folder.resolve("model"));
        delete(model.resolve("image_encoder"));
        Listener listener = new Listener();
        Path atoms = new FakeRun(model, hashes(), "atoms").write(folder.resolve("a"));
        ComparisonJob.ComparisonResult result = compare(request(model, List.of(atoms), "a {}"), listener).orElseThrow();
        assertTrue(result.comparison().rows().stream().allMatch(row -> row.metrics().isEmpty()));
        assertTrue(Files.readString(result.page()).contains(ComparisonText.NO_METRICS));
    }

    @Test
    void damagedImageEncoderIsReportedAndImagesAreKept() throws Exception {
        Path model = copy(folder.resolve("model"));
        Files.write(model.resolve("image_encoder/model.safetensors"), new byte[20]);
        Listener listener = new Listener();
        Path atoms = new FakeRun(model, hashes(), "atoms").write(folder.resolve("a"));
        ComparisonJob.ComparisonResult result = compare(request(model, List.of(atoms), "a {}"), listener).orElseThrow();
        assertTrue(result.comparison().rows().stream().allMatch(row -> row.metrics().isEmpty()));
        assertTrue(
                listener.notes.stream()
                        .anyMatch(note -> note.contains("image_encoder") && note.contains("model.safetensors")),
                listener.notes.toString());
    }

    private static Path copy(Path to) throws IOException {
        ClipTestModels.copy(MODEL, to);
        return to;
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }

    @Test
    void adaptersChangeTheImageAndEqualAdaptersGiveEqualImages() throws Failure {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Path again = run("atoms").write(folder.resolve("b"));
        compare(request(List.of(atoms, again), "a car"), new Listener());
        RgbImage base = ImageFiles.read(folder.resolve("out/pictures/base/0-0.png"));
        RgbImage first = ImageFiles.read(folder.resolve("out/pictures/atoms/0-0.png"));
        assertNotEquals(base, first);
        assertNotEquals(first, ImageFiles.read(folder.resolve("out/pictures/atoms/0-1.png")));
        assertEquals(first, ImageFiles.read(folder.resolve("out/pictures/atoms-2/0-0.png")));
    }

    @Test
    void keepsImagesWithEqualParametersAndRegeneratesOthers() throws Failure, IOException {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Listener stopped = new Listener();
        stopped.stopAfter = 5;
        assertEquals(Optional.empty(), compare(request(List.of(atoms), "a {}"), stopped));
        Path first = folder.resolve("out/pictures/base/0-0.png");
        FileTime old = FileTime.fromMillis(1_000_000_000_000L);
        Files.setLastModifiedTime(first, old);
        assertFalse(Files.exists(folder.resolve("out/pictures/atoms/0-1.png")));
        assertTrue(compare(request(List.of(atoms), "a {}"), new Listener()).isPresent());
        assertEquals(old, Files.getLastModifiedTime(first));
        assertTrue(Files.exists(folder.resolve("out/pictures/atoms/0-1.png")));
        assertTrue(compare(request(List.of(atoms), "a red {}"), new Listener()).isPresent());
        assertNotEquals(old, Files.getLastModifiedTime(first));
    }

    @Test
    void rejectsRunsOfDifferentSubjects() throws Failure {
        Path car = run("atoms").write(folder.resolve("car"));
        Path owl = run("lora").of("owl", "sks").write(folder.resolve("owl"));
        Path other = run("lora").of("car", "zwx").write(folder.resolve("zwx"));
        String byClass = assertThrows(Failure.Incompatible.class,
                () -> compare(request(List.of(car, owl), "a"), new Listener())).getMessage();
        assertTrue(byClass.contains("class") && byClass.contains("owl"), byClass);
        String byToken = assertThrows(Failure.Incompatible.class,
                () -> ComparedRuns.read(List.of(car, other), List.of())).getMessage();
        assertTrue(byToken.contains("trigger word") && byToken.contains("zwx"), byToken);
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @Test
    void rejectsUnfinishedRun() throws Failure, IOException {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Files.delete(atoms.resolve("report.json"));
        assertTrue(assertThrows(Failure.Incompatible.class, () -> ComparedRuns.read(List.of(atoms), List.of()))
                .getMessage()
                .contains("finished"));
        assertThrows(Failure.Unreadable.class, () -> ComparedRuns.read(List.of(folder.resolve("nothing")), List.of()));
    }

    @Test
    void doesNotOverwriteFilesOfOthers() throws Failure, IOException {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Path mine = folder.resolve("out/index.html");
        Files.createDirectories(mine.getParent());
        Files.writeString(mine, "my home page");
        assertTrue(assertThrows(Failure.Conflict.class, () -> compare(request(List.of(atoms), "a"), new Listener()))
                .getMessage()
                .contains("index.html"));
        assertEquals("my home page", Files.readString(mine));
        Files.delete(mine);
        Files.writeString(folder.resolve("out/notes.txt"), "mine too");
        assertTrue(compare(request(List.of(atoms), "a"), new Listener()).isPresent());
        assertEquals("mine too", Files.readString(folder.resolve("out/notes.txt")));
    }

    @Test
    void rejectsFolderWithComparisonOfAnotherSubject() throws Failure, IOException {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Files.createDirectories(folder.resolve("out"));
        Files.writeString(folder.resolve("out/compare.json"),
                new Comparison("m", "owl", "sks", List.of("a"), List.of(0L), List.of(ComparisonRow.base())).toJson());
        assertTrue(assertThrows(Failure.Conflict.class, () -> compare(request(List.of(atoms), "a"), new Listener()))
                .getMessage()
                .contains("sks owl"));
    }

    @Test
    void acceptsLongPrompts() throws Failure {
        Path atoms = run("atoms").write(folder.resolve("a"));
        Listener listener = new Listener();
        assertTrue(compare(request(List.of(atoms), "a car ".repeat(40) + "in the snow"), listener).isPresent());
        assertEquals(List.of(), listener.notes);
    }
}
