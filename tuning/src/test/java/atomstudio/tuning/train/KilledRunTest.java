package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledRunTest {
    @TempDir
    Path folder;

    private static TrainingRequest request(Path folder) throws Failure {
        return TrainingRequest
                .of(folder.resolve("model"), folder.resolve("pictures"), "thing",
                        MethodSettings.parse("atoms", Map.of()))
                .withSteps(70)
                .withLearningRate(1e-2);
    }

    /// All features with state: gradient accumulation, EMA, Prodigy, validation, generated class images, random
    /// prepared.
    private static TrainingRequest everything(Path folder) throws Failure {
        TrainingRequest plain = request(folder);
        TrainingConfig config = TrainingConfig.of(plain.method())
                .with(Map.of(TrainingSetting.STEPS, 40, TrainingSetting.LEARNING_RATE, 1.0, TrainingSetting.SEED, 7L,
                        TrainingSetting.WARMUP_STEPS, 3, TrainingSetting.LR_SCHEDULER,
                        TrainingConfig.LearningRateScheduler.COSINE))
                .with(Map.of(TrainingSetting.OPTIMIZER, TrainingConfig.OptimizerName.PRODIGY,
                        TrainingSetting.BATCH_SIZE, 2, TrainingSetting.GRADIENT_ACCUMULATION, 2,
                        TrainingSetting.EMA_DECAY, 0.95))
                .with(Map.of(TrainingSetting.RESOLUTION, 16, TrainingSetting.CROP, TrainingConfig.CropMode.RANDOM,
                        TrainingSetting.FLIP, true))
                .with(Map.of(TrainingSetting.MIN_SNR_GAMMA, 5.0, TrainingSetting.NOISE_OFFSET, 0.05,
                        TrainingSetting.CLASS_IMAGES, TrainingConfig.PriorPreservation.AUTO,
                        TrainingSetting.PRIOR_LOSS_WEIGHT, 0.5))
                .with(Map.of(TrainingSetting.PREVIEW_EVERY, 10, TrainingSetting.VALIDATE, true));
        return plain.with(config);
    }

    /// The process that is killed at a random moment.
    public static final class Worker {
        private Worker() {}

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            new TrainingService(new TrainingEnvironment(Device.CPU, 1, folder.resolve("home"))).run(everything(folder),
                    folder.resolve("run"), RunControl.none(), EventSink.none());
        }
    }

    @Test
    void runKilledAtRandomMomentsEndsWithEqualBytes() throws Exception {
        killedAtRandomMoments(3);
    }

    @Test @Tag("slow")
    void runKilledAtManyRandomMomentsEndsWithEqualBytes() throws Exception {
        killedAtRandomMoments(25);
    }

    private void killedAtRandomMoments(int kills) throws Exception {
        TinyModel.make(folder.resolve("model"), "sd1");
        Files.createDirectory(folder.resolve("pictures"));
        for (int i = 0; i < 6; i++)
            PngWriter.write(folder.resolve("pictures/" + i + ".png"), RunTest.photo(i), Map.of());
        Files.createDirectories(folder.resolve("home"));
        Files.createSymbolicLink(folder.resolve("home/natives"),
                Files.createDirectories(RunTest.home().resolve("natives")));
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int killed = 0;
        for (int i = 0; i < kills; i++) {
            Process child = start(Worker.class);
            try {
                // Mostly while it trains; JVM and PyTorch need most of a second to start.
                if (!child.waitFor(800 + random.nextInt(2500), TimeUnit.MILLISECONDS)) killed++;
                else assertEquals(0, child.exitValue(), () -> read(folder.resolve("child.log")));
            } finally {
                child.destroyForcibly();
                assertTrue(child.waitFor(20, TimeUnit.SECONDS));
            }
        }
        assertTrue(killed > 0, "at least one was killed");
        TrainingService tuning = new TrainingService(new TrainingEnvironment(Device.CPU, 1, folder.resolve("home")));
        tuning.run(everything(folder), folder.resolve("run"), RunControl.none(), EventSink.none());
        tuning.run(everything(folder), folder.resolve("straight"), RunControl.none(), EventSink.none());
        for (String file : List.of("adapter.safetensors", "best.safetensors")) {
            assertArrayEquals(Files.readAllBytes(folder.resolve("straight").resolve(file)),
                    Files.readAllBytes(folder.resolve("run").resolve(file)), file + ", moments by seed " + seed);
        }
        assertEquals(seen("straight"), seen("run"), "every step, preview and validation once, moments by seed " + seed);
    }

    private List<String> seen(String name) throws Failure {
        return new RunFolder(folder.resolve(name)).events()
                .stream()
                .map(TrainingEvent.Timed::event)
                .filter(event -> switch (event) {
                    case TrainingEvent.Step _,TrainingEvent.Preview _,TrainingEvent.Validation _ -> true;
                    default -> false;
                })
                .map(event -> switch (event) {
                    case TrainingEvent.Step step ->
                            "step " + step.step() + " " + step.loss() + " " + step.learningRate();
                    default -> event.toString();
                })
                .toList();
    }

    private Process start(Class<?> program) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), program.getName(), folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("child.log").toFile())
                .start();
    }

    /// The process that is killed.
    public static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home())).run(request(folder),
                    folder.resolve("run"), RunControl.none(), event -> {
                        if (event.step() >= 33) pause(); // until killed
                    });
        }

        private static void pause() {
            try {
                Thread.sleep(600_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void killedRunReleasesItsLockAndResumesExactly() throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        assertEquals("model", model.name());
        Files.createDirectory(folder.resolve("pictures"));
        PngWriter.write(folder.resolve("pictures/0.png"), RunTest.photo(1), Map.of());
        RunFolder run = new RunFolder(folder.resolve("run"));
        Process child = start(Child.class);
        try {
            await(run, child);
            assertEquals(RunFolder.Status.RUNNING, run.status());
            TrainingService tuning = new TrainingService(new TrainingEnvironment(Device.CPU, 1, RunTest.home()));
            Failure occupied = assertThrows(Failure.Conflict.class,
                    () -> tuning.run(request(folder), run.folder(), RunControl.none(), EventSink.none()));
            assertTrue(occupied.getMessage().contains("active in another process"));
            child.destroyForcibly();
            assertTrue(child.waitFor(20, TimeUnit.SECONDS));
            assertEquals(RunFolder.Status.UNFINISHED, run.status());
            assertTrue(run.checkpointStep() >= 25, "a checkpoint at 25 steps");
            assertInstanceOf(TrainingService.TrainingOutcome.Finished.class,
                    tuning.run(request(folder), run.folder(), RunControl.none(), EventSink.none()));
            tuning.run(request(folder), folder.resolve("straight"), RunControl.none(), EventSink.none());
            assertArrayEquals(Files.readAllBytes(folder.resolve("straight/adapter.safetensors")),
                    Files.readAllBytes(run.adapter()));
        } finally {
            child.destroyForcibly();
        }
    }

    private void await(RunFolder run, Process child) throws Exception {
        for (int i = 0; i < 1200; i++) {
            assertTrue(child.isAlive(), () -> read(folder.resolve("child.log")));
            if (run.events().stream().anyMatch(event -> event.event().step() >= 33)) return;
            Thread.sleep(100);
        }
        throw new AssertionError("the child did not reach step 33:\n" + read(folder.resolve("child.log")));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
