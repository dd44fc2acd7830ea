package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunTest {
    @TempDir
    static Path shared;
    @TempDir
    Path folder;
    private static DiffusionModel model;
    private static Path photos;

    @BeforeAll
    static void prepare() throws Exception {
        model = TinyModel.make(shared.resolve("model"), "sd1");
        photos = Files.createDirectory(shared.resolve("subject"));
        for (int i = 0; i < 3; i++) PngWriter.write(photos.resolve("picture" + i + ".png"), photo(i), Map.of());
    }

    static RgbImage photo(int number) {
        int[] argb = new int[40 * 50];
        for (int i = 0; i < argb.length; i++) argb[i] = 0xFF000000 | (number + 1) * (i * 7919 & 0x3FFFFF);
        return new RgbImage(40, 50, argb);
    }

    private static TrainingRequest request(String method, int steps) throws Failure {
        return TrainingRequest
                .of(model.path(), photos, "thing",
                        MethodSettings.parse(method,
                                Map.of("atoms", method.startsWith("atoms+") ? "4" : "9", "rank", "2")))
                .withSteps(steps)
                .withLearningRate(1e-2);
    }

    private TrainingService tuning(int threads) {
        return new TrainingService(new TrainingEnvironment(Device.CPU, threads, home()));
    }

    static Path home() {
        return Path.of(System.getProperty("user.home"), ".atomstudio");
    }

    private TrainingService.TrainingOutcome run(TrainingRequest request, String name) throws Failure {
        return tuning(1).run(request, folder.resolve(name), RunControl.none(), EventSink.none());
    }

    /// Stops after a number of steps.
    private static final class StopAfter implements RunControl, EventSink {
        private final int steps;
        private int done;

        StopAfter(int steps) {
            this.steps = steps;
        }

        @Override
        public RunCommand command() {
            return done >= steps ? RunCommand.STOP : RunCommand.CONTINUE;
        }

        @Override
        public void emit(TrainingEvent event) {
            if (event instanceof TrainingEvent.Step step) done = step.step();
        }
    }

    @ParameterizedTest @CsvSource({"atoms", "atoms+channels", "lora"})
    void stoppedRunResumesExactly(String method) throws Exception {
        TrainingReport straight = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                run(request(method, 20), "straight")).report();
        StopAfter seven = new StopAfter(7);
        TrainingService.TrainingOutcome stopped = tuning(1).run(request(method, 20), folder.resolve("stopped"), seven,
                seven);
        assertEquals(new TrainingService.TrainingOutcome.Stopped(7, 20), stopped);
        RunFolder run = new RunFolder(folder.resolve("stopped"));
        assertEquals(7, run.checkpointStep());
        assertEquals(RunFolder.Status.UNFINISHED, run.status());
        assertEquals(7, run.latestAdapter().orElseThrow().training().steps());
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, run(request(method, 20), "stopped"));
        assertArrayEquals(Files.readAllBytes(folder.resolve("straight/adapter.safetensors")),
                Files.readAllBytes(run.adapter()));
        AdapterFile adapter = AdapterFile.read(run.adapter());
        assertEquals(Optional.empty(), adapter.compatibilityWarning("model", model.unet().layers(),
                Optional.of(adapter.base().hash())));
        assertEquals(MethodSettings.parse(method, Map.of("atoms", method.startsWith("atoms+") ? "4" : "9", "rank", "2"))
                .method()
                .parameterCount(model.unet().layers()), straight.parameterCount());
        assertEquals(Files.size(run.adapter()), straight.bytes());
        assertTrue(adapter.values().values().stream().anyMatch(value -> value.data()[0] != 0));
    }

    @Test
    void crashedRunResumesFromItsCheckpoint() throws Exception {
        run(request("atoms", 60), "straight");
        Path crashed = folder.resolve("crashed");
        IllegalStateException crash = assertThrows(IllegalStateException.class,
                () -> tuning(1).run(request("atoms", 60), crashed, RunControl.none(), event -> {
                    if (event instanceof TrainingEvent.Step step && step.step() == 33)
                        throw new IllegalStateException("crash");
                }));
        assertEquals("crash", crash.getMessage());
        int kept = new RunFolder(crashed).checkpointStep();
        assertTrue(kept >= 25 && kept <= 33, "a checkpoint at 25 steps, and more on a slow machine: " + kept);
        Files.writeString(crashed.resolve("events.jsonl"), "{\"time\":1,\"kind\":\"st",
                java.nio.file.StandardOpenOption.APPEND);
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, run(request("atoms", 60), "crashed"));
        assertArrayEquals(Files.readAllBytes(folder.resolve("straight/adapter.safetensors")),
                Files.readAllBytes(crashed.resolve("adapter.safetensors")));
        List<Integer> steps = new RunFolder(crashed).events()
                .stream()
                .map(TrainingEvent.Timed::event)
                .filter(TrainingEvent.Step.class::isInstance)
                .map(TrainingEvent::step)
                .toList();
        assertEquals(java.util.stream.IntStream.rangeClosed(1, 60).boxed().toList(), steps);
    }

    @Test
    void finishedRunReturnsItsReportAndCanBeExtended() throws Exception {
        run(request("atoms", 12), "long");
        TrainingService.TrainingOutcome.Finished first = assertInstanceOf(
                TrainingService.TrainingOutcome.Finished.class, run(request("atoms", 5), "run"));
        List<TrainingEvent> heard = new ArrayList<>();
        TrainingService.TrainingOutcome again = tuning(1).run(request("atoms", 5), folder.resolve("run"),
                RunControl.none(), heard::add);
        assertEquals(first, again);
        assertEquals(List.of(), heard);
        TrainingService.TrainingOutcome.Finished more = assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                run(request("atoms", 12), "run"));
        assertEquals(12, more.report().steps());
        assertArrayEquals(Files.readAllBytes(folder.resolve("long/adapter.safetensors")),
                Files.readAllBytes(folder.resolve("run/adapter.safetensors")));
        assertEquals(12, new RunFolder(folder.resolve("run")).info().config().steps());
    }

    @Test
    void rejectsChangedSettingsByNameAndKeepsTheRun() throws Exception {
        run(request("atoms", 3), "run");
        byte[] before = Files.readAllBytes(folder.resolve("run/adapter.safetensors"));
        Path other = Files.createDirectory(folder.resolve("other"));
        PngWriter.write(other.resolve("a.png"), photo(9), Map.of());
        TrainingRequest original = request("atoms", 3);
        assertRejected(original.withLearningRate(0.5), "learning-rate: the run has 0.01, requested is 0.5");
        assertRejected(original.withSeed(4), "seed");
        assertRejected(original.withToken("zwx"), "token");
        assertRejected(original.withSteps(2), "steps");
        assertRejected(original.withPreviewEvery(1), "preview-every");
        assertRejected(request("lora", 3), "method: the run has atoms, requested is lora");
        assertRejected(
                new TrainingRequest(original.model(), original.photos(), new Trigger("sks", "other"), original.method(),
                        original.config()),
                "class");
        assertRejected(
                new TrainingRequest(original.model(), other, original.trigger(), original.method(), original.config()),
                "photos");
        Failure both = assertThrows(Failure.Incompatible.class,
                () -> run(original.withLearningRate(0.5).withSeed(4), "run"));
        assertTrue(both.getMessage().contains("rate") && both.getMessage().contains("seed"), "all are listed");
        assertArrayEquals(before, Files.readAllBytes(folder.resolve("run/adapter.safetensors")));
    }

    private void assertRejected(TrainingRequest request, String message) {
        Failure failure = assertThrows(Failure.Incompatible.class, () -> run(request, "run"));
        assertTrue(failure.getMessage().contains(message), failure.getMessage());
    }

    @Test
    void photosAreComparedByContent() throws Exception {
        run(request("atoms", 3), "run");
        Path renamed = Files.createDirectory(folder.resolve("renamed"));
        for (int i = 0; i < 3; i++)
            Files.copy(photos.resolve("picture" + i + ".png"), renamed.resolve("x" + (9 - i) + ".png"),
                    StandardCopyOption.REPLACE_EXISTING);
        TrainingRequest original = request("atoms", 3);
        TrainingRequest same = new TrainingRequest(original.model(), renamed, original.trigger(), original.method(),
                original.config());
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, run(same, "run"));
    }

    @Test
    void resumesWithTheRunsOwnSettings() throws Exception {
        StopAfter two = new StopAfter(2);
        tuning(1).run(request("lora", 4), folder.resolve("run"), two, two);
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                tuning(1).resume(folder.resolve("run"), RunControl.none(), EventSink.none()));
    }

    @Test
    void resumesWithAnotherThreadCountWithANotice() throws Exception {
        StopAfter two = new StopAfter(2);
        tuning(1).run(request("atoms", 4), folder.resolve("run"), two, two);
        List<TrainingEvent> heard = new ArrayList<>();
        tuning(2).run(request("atoms", 4), folder.resolve("run"), RunControl.none(), heard::add);
        TrainingEvent.Note note = heard.stream()
                .filter(TrainingEvent.Note.class::isInstance)
                .map(TrainingEvent.Note.class::cast)
                .findFirst()
                .orElseThrow();
        assertTrue(
                note.message().contains("cpu with 2 thread(s) after cpu with 1")
                        && note.message().contains("last bits"),
                note.message());
    }

    @Test
    void pausedRunWaitsAndCanBeStopped() throws Exception {
        List<TrainingEvent> heard = new ArrayList<>();
        int[] polls = {0};
        RunControl control = () -> {
            int poll = ++polls[0] - 3; // polled once before each photo is encoded
            return poll <= 3 ? RunControl.RunCommand.CONTINUE : poll <= 6 ? RunControl.RunCommand.PAUSE
                    : poll <= 8 ? RunControl.RunCommand.CONTINUE : poll <= 10 ? RunControl.RunCommand.PAUSE
                    : RunControl.RunCommand.STOP;
        };
        assertEquals(new TrainingService.TrainingOutcome.Stopped(5, 9),
                tuning(1).run(request("atoms", 9), folder.resolve("run"), control, heard::add));
        List<String> kinds = heard.stream()
                .filter(event -> !(event instanceof TrainingEvent.Step))
                .map(event -> event.getClass().getSimpleName() + event.step())
                .toList();
        assertEquals(List.of("Start0", "Checkpoint3", "Paused3", "Resumed3", "Checkpoint5", "Paused5", "Cancelled5"),
                kinds);
        assertEquals(heard,
                new RunFolder(folder.resolve("run")).events().stream().map(TrainingEvent.Timed::event).toList(),
                "log and listener have the same events");
    }

    @Test
    void writesPreviewsBeforeDuringAndAfterTraining() throws Exception {
        List<TrainingEvent> heard = new ArrayList<>();
        tuning(1).run(request("atoms", 5).withPreviewEvery(2), folder.resolve("run"), RunControl.none(), heard::add);
        List<Integer> at = heard.stream()
                .filter(TrainingEvent.Preview.class::isInstance)
                .map(TrainingEvent::step)
                .toList();
        assertEquals(List.of(0, 2, 4, 5), at);
        for (int step : at) assertTrue(Files.size(folder.resolve("run/previews/00000" + step + ".png")) > 100);
        byte[] before = Files.readAllBytes(folder.resolve("run/previews/000000.png"));
        assertFalse(java.util.Arrays.equals(before, Files.readAllBytes(folder.resolve("run/previews/000005.png"))));
        tuning(1).run(request("atoms", 5), folder.resolve("plain"), RunControl.none(), EventSink.none());
        assertArrayEquals(Files.readAllBytes(folder.resolve("run/adapter.safetensors")),
                Files.readAllBytes(folder.resolve("plain/adapter.safetensors")), "previews change nothing");
    }

    @Test
    void rejectsAFolderWithOtherFiles() throws Exception {
        Path mine = Files.createDirectory(folder.resolve("mine"));
        Files.writeString(mine.resolve("thesis.txt"), "words");
        Failure occupied = assertThrows(Failure.Conflict.class, () -> run(request("atoms", 3), "mine"));
        assertTrue(occupied.getMessage().contains("thesis.txt"));
        assertEquals(1, Files.list(mine).count());
    }

    @Test
    void ignoresPartFilesOfAKilledRun() throws Exception {
        Path run = Files.createDirectories(folder.resolve("killed"));
        Files.writeString(run.resolve(".run.json.123.part"), "{\"form");
        assertInstanceOf(TrainingService.TrainingOutcome.Finished.class, run(request("atoms", 2), "killed"));
        try (var files = Files.list(run)) {
            assertTrue(files.noneMatch(file -> file.getFileName().toString().endsWith(".part")));
        }
    }

    @Test
    void rejectsUnreadablePhotoBeforeTheRunStarts() throws Exception {
        Path bad = Files.createDirectory(folder.resolve("bad"));
        Files.copy(photos.resolve("picture0.png"), bad.resolve("good.png"));
        Files.writeString(bad.resolve("broken.png"), "no picture");
        TrainingRequest original = request("atoms", 3);
        Failure failure = assertThrows(Failure.Unreadable.class,
                () -> run(
                        new TrainingRequest(original.model(), bad, original.trigger(), original.method(),
                                original.config()),
                        "run"));
        assertTrue(failure.getMessage().contains("broken.png"));
        assertFalse(Files.exists(folder.resolve("run")));
    }

    @Test
    void reportsAndLogsFilesThatCannotBeWritten() throws Exception {
        Path run = folder.resolve("run");
        Files.createDirectories(run);
        run(request("atoms", 3), "run");
        Files.delete(run.resolve("checkpoint.safetensors"));
        Files.createDirectories(run.resolve("checkpoint.safetensors/in the way"));
        Failure unwritable = assertThrows(Failure.Unwritable.class, () -> run(request("atoms", 6), "run"));
        assertTrue(unwritable.getMessage().contains("checkpoint.safetensors"));
        List<TrainingEvent.Timed> events = new RunFolder(run).events();
        assertInstanceOf(TrainingEvent.Failed.class, events.getLast().event());
        assertTrue(Files.isRegularFile(run.resolve("adapter.safetensors")), "the old report is unchanged");
    }

    @Test
    void rejectsInpaintingModel() throws Exception {
        DiffusionModel inpaint = TinyModel.make(folder.resolve("inpaint"), "inpaint");
        TrainingRequest original = request("atoms", 3);
        Failure failure = assertThrows(Failure.Incompatible.class,
                () -> run(new TrainingRequest(ModelReference.of(inpaint.path()), photos, original.trigger(),
                        original.method(), original.config()), "run"));
        assertTrue(failure.getMessage().contains("9 input channels"));
    }
}
