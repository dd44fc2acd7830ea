package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.tuning.TinyModel;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledRunTest {
    @TempDir Path folder;

    private static TuneRequest request(Path folder) throws Failure {
        return TuneRequest.of(folder.resolve("model"), folder.resolve("pictures"), "thing", MethodSettings.parse("atoms", Map.of())).withSteps(70).withRate(1e-2);
    }

    /// The process that is killed.
    public static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            new Tuning(new Machine(Device.CPU, 1, RunTest.home())).run(request(folder), folder.resolve("run"), Control.none(), event -> {
                if (event.step() >= 33) pause();                        // until killed
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

    @Test void aKilledRunIsNoLongerRunningAndResumesToEqualBytes() throws Exception {
        ModelFolder model = TinyModel.make(folder.resolve("model"), "sd1");
        assertEquals("model", model.name());
        Files.createDirectory(folder.resolve("pictures"));
        PngWriter.write(folder.resolve("pictures/0.png"), RunTest.picture(1), Map.of());
        RunFolder run = new RunFolder(folder.resolve("run"));
        Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), Child.class.getName(), folder.toString()).redirectErrorStream(true).redirectOutput(folder.resolve("child.log").toFile()).start();
        try {
            await(run, child);
            assertEquals(RunStatus.RUNNING, run.status());
            Tuning tuning = new Tuning(new Machine(Device.CPU, 1, RunTest.home()));
            Failure occupied = assertThrows(Failure.Occupied.class, () -> tuning.run(request(folder), run.folder(), Control.none(), TuneListener.silent()));
            assertTrue(occupied.getMessage().contains("already going on"));
            child.destroyForcibly();
            assertTrue(child.waitFor(20, TimeUnit.SECONDS));
            assertEquals(RunStatus.UNFINISHED, run.status());
            assertTrue(run.step() >= 25, "a checkpoint at 25 steps");
            assertInstanceOf(TuneOutcome.Finished.class, tuning.run(request(folder), run.folder(), Control.none(), TuneListener.silent()));
            tuning.run(request(folder), folder.resolve("straight"), Control.none(), TuneListener.silent());
            assertArrayEquals(Files.readAllBytes(folder.resolve("straight/adapter.safetensors")), Files.readAllBytes(run.adapter()));
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
        throw new AssertionError("the child did not get to step 33:\n" + read(folder.resolve("child.log")));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            return e.toString();
        }
    }
}
